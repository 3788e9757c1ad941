// A soft double tone for a new emergency. Off until an operator switches it on: browsers want a click first anyway.

let context = null;

export const isOn = () => context !== null;

export function toggle() {
  if (context) {
    context.close();
    context = null;
  } else {
    context = new AudioContext();
    ring();
  }
}

export function ring() {
  if (!context) return;
  for (const [start_s, hertz] of [[0, 740], [0.22, 988]]) {
    const [tone, gain, from_s] = [context.createOscillator(), context.createGain(), context.currentTime + start_s];
    tone.frequency.value = hertz;
    gain.gain.setValueAtTime(0, from_s);
    gain.gain.linearRampToValueAtTime(0.2, from_s + 0.02);
    gain.gain.exponentialRampToValueAtTime(0.001, from_s + 0.4);
    tone.connect(gain).connect(context.destination);
    tone.start(from_s);
    tone.stop(from_s + 0.45);
  }
}
