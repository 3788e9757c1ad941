// What is between a chip's cable and its interpreter: bytes both ways, and the one byte that interrupts.
// Owns the thread that carries them, and restarting the process as a chip restarts. Must not know the prompt (modchip.c).
//
// Nothing here does anything before chip_cable_open(): a process that is no chip is the unix port as it was.
#ifndef PINGAN_CHIP_CABLE_H
#define PINGAN_CHIP_CABLE_H

// From now on file descriptors 0 and 1 are the chip's ends of the cable; what they were before is the host's side of it.
// `interrupt` is called from the carrying thread for the interrupt byte. Returns 0 or an errno.
int chip_cable_open(void (*interrupt)(void));

// Starts the process anew with the same arguments, as a chip starts anew; what waits on the cable stays there.
// The three words are what the next life finds as PINGAN_RESET, PINGAN_WAKE and PINGAN_PROMPT. Does not return.
void chip_restart(const char *reset, const char *wake, const char *prompt);

#endif
