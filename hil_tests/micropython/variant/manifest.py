# Frozen into the binary, as the release boards' firmware has it.
include("$(MPY_DIR)/extmod/asyncio")
