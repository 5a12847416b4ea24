// The data of the page, and its elements by id.

import {decode} from "./latents.js";
import {load} from "./student.js";

export const $ = id => document.getElementById(id);
/** What tinygan/playground/build.py wrote; docs/reference/formats.md describes it. */
export const data = await (await load("data.json")).json();
/** The two directions of the sliders, [2][z_dim]. */
export const directions = data.directions.map(decode);
