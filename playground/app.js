// The page: draws what the controls request.

import {fillControls, request} from "./controls.js";
import {mixture} from "./latents.js";
import {$, data} from "./page.js";
import {draw, load, openStudent} from "./student.js";
import {paint, showStudent, showTeacher, showTime} from "./view.js";

const FRAMES = 9; // of the path between two classes
const students = new Map();
const strips = new Map();
let busy = false;
let changed = false;

/** Return the z, the y and the model file of the student's image, as plain values. */
export function current() {
  const {z, y, file} = request();
  return {z: [...z], y: [...y], file};
}

/** Draw what the controls request, and what they request meanwhile: one run at a time. */
async function refresh() {
  changed = true;
  if (busy) return;
  busy = true;
  $("pictures").setAttribute("aria-busy", busy);
  try {
    while (changed) {
      changed = false;
      await new Promise(requestAnimationFrame);
      await drawAll(request());
    }
  } finally {
    busy = false;
    $("pictures").setAttribute("aria-busy", busy);
  }
}

/** Draw the pictures of a request; the path ends early when another request comes. */
async function drawAll(wanted) {
  const strip = await once(strips, data.teacher_images[wanted.from], openStrip);
  const student = await once(students, wanted.file, openStudent);
  paint($("student"), await draw(student, wanted.z, wanted.y));
  showTeacher(wanted, strip);
  showStudent(wanted, student);
  $("controls").disabled = false;
  $("error").hidden = true;
  for (let i = 0; i < FRAMES && !changed; i++) {
    const y = mixture(wanted.y.length, wanted.from, wanted.to, i / (FRAMES - 1));
    paint($("path"), await draw(student, wanted.z, y), i, FRAMES);
    // Let the browser see what the visitor does.
    await new Promise(done => setTimeout(done));
  }
  showTime(student);
}

/** Return what `open` makes of a file, opened once unless it fails. */
function once(opened, file, open) {
  if (!opened.has(file)) {
    opened.set(file, open(file));
    opened.get(file).catch(() => opened.delete(file));
  }
  return opened.get(file);
}

/** Return the teacher's images of a class, side by side. */
async function openStrip(file) {
  return createImageBitmap(await (await load(file)).blob());
}

fillControls(refresh);
await refresh();
