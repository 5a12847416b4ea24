// A student: an ONNX model with inputs z and y, run by onnxruntime-web on one thread.

import * as ort from "./runtime/ort.wasm.bundle.min.mjs";

const TIMED = 31;
ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";

/** Return the response for a file of the page; the error is a sentence. */
export async function load(file) {
  const response = await fetch(file).catch(() => null);
  if (!response) throw new Error(`${file} cannot be loaded: does the server still run?`);
  if (!response.ok) throw new Error(`${file} cannot be loaded: the server says ${response.status}.`);
  return response;
}

/** Return a student: its session, the bytes of its file, and the times of its last runs in ms. */
export async function openStudent(file) {
  const model = await (await load(file)).arrayBuffer();
  const bytes = model.byteLength;
  try {
    const session = await ort.InferenceSession.create(model, {executionProviders: ["wasm"]});
    return {session, bytes, times: []};
  } catch (error) {
    throw new Error(`The runtime cannot open ${file}: ${error.message}`);
  }
}

/** Draw one image: z [z_dim], y [classes] -> ImageData. */
export async function draw(student, z, y) {
  const feeds = {
    z: new ort.Tensor("float32", z, [1, z.length]),
    y: new ort.Tensor("float32", y, [1, y.length]),
  };
  const start = performance.now();
  const {images} = await student.session.run(feeds);
  student.times.push(performance.now() - start);
  student.times.splice(0, student.times.length - TIMED);
  return toPixels(images);
}

/** Return the median time of the last runs in ms. */
export function median({times}) {
  return times.toSorted((one, other) => one - other)[times.length >> 1];
}

/** Convert a tensor [1, 3, H, W] in [-1, 1] to ImageData: floor(128 x + 128), as the pipeline does. */
function toPixels({data, dims: [, , height, width]}) {
  const pixels = new ImageData(width, height);
  const count = width * height;
  for (let p = 0; p < count; p++) {
    for (let c = 0; c < 3; c++) {
      const value = 128 * data[c * count + p] + 128;
      pixels.data[4 * p + c] = Math.floor(Math.min(Math.max(value, 0), 255));
    }
    pixels.data[4 * p + 3] = 255;
  }
  return pixels;
}
