"""Run one test file on MicroPython: `micropython tests/run_on_micropython.py tests/protocol/test_frame.py [name]`.

Owns: finding and calling the file's test_* functions, in order of name. Runs on the wearable's Python itself, so it
knows no pytest; on_micropython.py beside it starts it from pytest. Prints a line per test; exits 0 only when there
was a test and none failed.
"""

import sys


def load(path: str) -> object:
    """Import a test file by its path."""
    folder, _, name = path.rpartition("/")  # this Python has no os.path
    # Its folder goes last, and this script's not at all: tests/protocol must not stand before protocol/.
    sys.path.pop(0)
    sys.path.append(folder or ".")
    return __import__(name[: -len(".py")] if name.endswith(".py") else name)  # noqa: FURB188  nor str.removesuffix


def run(module: object, only: str = "") -> "tuple[int, int]":
    """Call the module's test functions (those whose name holds `only`). Returns (passed, failed) as counts."""
    passed = failed = 0
    for name in sorted(dir(module)):
        test = getattr(module, name)
        if not name.startswith("test_") or only not in name or not callable(test):
            continue
        try:
            test()
        except Exception as error:  # noqa: BLE001  A test may fail in any way; all of them are told apart below.
            failed += 1
            print("FAILED", name)
            sys.print_exception(error)  # type: ignore[attr-defined]  # MicroPython's
        else:
            passed += 1
            print("ok", name)
    return passed, failed


if __name__ == "__main__":
    passed, failed = run(load(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "")
    print(passed, "passed,", failed, "failed")
    sys.exit(0 if passed and not failed else 1)
