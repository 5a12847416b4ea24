// What the page shows for a request: pictures, texts beside them, and texts for screen readers.

import {$, data} from "./page.js";
import {median} from "./student.js";

const QUIET = 600; // ms without a change before it is announced
let timer;

/** Put ImageData [H, W] on a canvas, as image i of a row of `count`. */
export function paint(canvas, pixels, i = 0, count = 1) {
  const {width, height} = pixels;
  if (canvas.width !== count * width) Object.assign(canvas, {width: count * width, height});
  canvas.getContext("2d").putImageData(pixels, i * width, 0);
}

/** Show the teacher's images of a class, a strip of squares: small ones, and the one of the request. */
export function showTeacher({stored, names, t, a, b}, strip) {
  const present = stored !== null && t === 0 && a === 0 && b === 0;
  $("absent").hidden = present;
  $("teacher").hidden = !present;
  $("teacher").setAttribute("aria-label", `${names[0]}, stored z ${stored + 1}, drawn by the teacher`);
  crop($("teacher"), strip, stored ?? 0);
  document.querySelectorAll("#stored canvas").forEach((canvas, i) => crop(canvas, strip, i));
}

/** Say what the student's image is, and what its model costs. */
export function showStudent(wanted, student) {
  const model = `${wanted.student.name}, ${wanted.precision}`;
  const drawn = `${mixed(wanted)}, ${latent(wanted)}, drawn by the student ${model}`;
  $("student").setAttribute("aria-label", drawn);
  $("path").setAttribute("aria-label", `From ${wanted.names.join(" to ")} in nine images, drawn by the student ${model}`);
  $("model").textContent = model;
  $("t").setAttribute("aria-valuetext", mixed(wanted));
  $("t-value").textContent = `${Math.round(100 * wanted.t)} %`;
  for (const id of ["a", "b"]) $(`${id}-value`).textContent = signed(wanted[id]);
  $("size").textContent = bytes(student.bytes);
  for (const key of ["parameters", "macs"]) {
    $(key).textContent = millions(wanted.student[key]);
    $(`teacher-${key}`).textContent = data.teacher ? millions(data.teacher[key]) : "unknown";
  }
  announce(drawn);
}

/** Show the median time of an image. */
export function showTime(student) {
  $("time").textContent = `${median(student).toFixed(1)} ms`;
}

/** Draw square number i of a strip on a canvas. */
function crop(canvas, strip, i) {
  const side = strip.height;
  Object.assign(canvas, {width: side, height: side});
  canvas.getContext("2d").drawImage(strip, i * side, 0, side, side, 0, 0, side, side);
}

/** Tell screen readers, once nothing has changed for a while. */
function announce(text) {
  clearTimeout(timer);
  timer = setTimeout(() => { $("status").textContent = text; }, QUIET);
}

function mixed({names, t}) {
  const share = Math.round(100 * t);
  return share === 0 ? names[0] : share === 100 ? names[1] : `${100 - share} % ${names[0]}, ${share} % ${names[1]}`;
}

function latent({stored, seed, a, b}) {
  const start = stored === null ? `z of seed ${seed}` : `stored z ${stored + 1}`;
  return a || b ? `${start} moved by ${signed(a)} u and ${signed(b)} v` : start;
}

function signed(value) {
  if (value === 0) return "0.00";
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;
}

function bytes(count) {
  return count < 1e6 ? `${Math.round(count / 1e3)} kB` : `${(count / 1e6).toFixed(1)} MB`;
}

function millions(count) {
  return `${(count / 1e6).toPrecision(3)} M`;
}
