// z and y: what goes into the student.

/** Return the Float32Array of little-endian float32 values in base64. */
export function decode(text) {
  return new Float32Array(Uint8Array.from(atob(text), character => character.charCodeAt(0)).buffer);
}

/** Return a function that draws uniform numbers in [0, 1): mulberry32, whose seed has 32 bits. */
export function uniform(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Return the z [length] of a seed, from the distribution of the training (not its numbers).
 * With a truncation, normal values beyond ±2 are drawn again, and the others scaled by it.
 */
export function drawZ(seed, length, truncation) {
  const next = uniform(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  return Float32Array.from({length}, () => {
    let value = normal();
    while (truncation !== null && Math.abs(value) > 2) value = normal();
    return value * (truncation ?? 1);
  });
}

/** Return z0 + a u + b v; all vectors have one length. */
export function move(z0, [u, v], a, b) {
  return z0.map((value, i) => value + a * u[i] + b * v[i]);
}

/** Return the weights [classes] of a class mixture: 1 - t of one class, t of the other. */
export function mixture(classes, from, to, t) {
  const weights = new Float32Array(classes);
  weights[from] += 1 - t;
  weights[to] += t;
  return weights;
}
