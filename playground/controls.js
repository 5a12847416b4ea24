// The controls: filled from the data, and read.

import {decode, drawZ, mixture, move} from "./latents.js";
import {$, data, directions} from "./page.js";

const SEEDS = 1e6;
let latest = 0; // the stored z that was chosen last

/** Fill the lists, and call `changed` whenever a control has another value. */
export function fillControls(changed) {
  fill($("from"), data.classes);
  fill($("to"), data.classes);
  $("to").selectedIndex = data.classes.length - 1;
  fill($("name"), data.students.map(({name}) => name));
  fillPrecisions();
  $("stored").append(...data.stored[0].map((_, i) => thumb(i)));
  $("name").addEventListener("change", fillPrecisions);
  $("stored").addEventListener("input", ({target}) => useStored(Number(target.value)));
  $("seed").addEventListener("input", useSeed);
  $("another").addEventListener("click", () => { $("seed").value = anySeed(); useSeed(); changed(); });
  $("back").addEventListener("click", () => { backToStored(); changed(); });
  $("controls").addEventListener("input", changed);
}

/**
 * Return what the controls request: class indices `from` and `to`, their names, the slider values
 * t, a, b, the index `stored` of the z or null, its seed, the student, and z [z_dim], y [classes].
 */
export function request() {
  const [from, to, t, a, b, seed] = ["from", "to", "t", "a", "b", "seed"].map(id => Number($(id).value));
  const chosen = document.querySelector("[name=stored]:checked");
  const stored = chosen && Number(chosen.value);
  const z0 = chosen ? decode(data.stored[from][stored]) : drawZ(seed, data.z_dim, data.truncation);
  const names = [data.classes[from], data.classes[to]];
  const student = data.students[$("name").selectedIndex];
  const precision = $("precision").value;
  const z = move(z0, directions, a, b);
  const y = mixture(data.classes.length, from, to, t);
  return {from, to, names, t, a, b, stored, seed, student, precision, file: student.files[precision], z, y};
}

/** Use a stored z; the seed is empty as long as it says nothing. */
function useStored(i) {
  latest = i;
  radios()[i].checked = true;
  $("seed").value = "";
}

/** Use the z of the seed: no stored one is chosen. */
function useSeed() {
  for (const radio of radios()) radio.checked = false;
}

/** Use the latest stored z and one class, unmoved: of these there is an image of the teacher. */
function backToStored() {
  useStored(latest);
  for (const id of ["t", "a", "b"]) $(id).value = 0;
  radios()[latest].focus({preventScroll: true});
}

function radios() {
  return document.querySelectorAll("[name=stored]");
}

function fill(select, names) {
  select.replaceChildren(...names.map((name, i) => new Option(name, i)));
}

/** List the precisions of the chosen student, and keep the one that is chosen. */
function fillPrecisions() {
  const kept = $("precision").value;
  const names = Object.keys(data.students[$("name").selectedIndex].files);
  $("precision").replaceChildren(...names.map(name => new Option(name)));
  if (names.includes(kept)) $("precision").value = kept;
}

/** Return a radio button that shows the teacher's image for stored z number i. */
function thumb(i) {
  const radio = Object.assign(document.createElement("input"), {type: "radio", name: "stored", value: i});
  radio.checked = i === 0;
  radio.setAttribute("aria-label", `stored z ${i + 1}`);
  const label = document.createElement("label");
  label.append(radio, document.createElement("canvas"));
  return label;
}

function anySeed() {
  return Math.floor(SEEDS * Math.random());
}
