"use strict";

// The colour scheme is the system's, until the reader chooses the other one.
const root = document.documentElement;
const theme = document.querySelector("#theme");
theme.hidden = false;
theme.addEventListener("click", () => {
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  root.dataset.theme = (root.dataset.theme ?? system) === "dark" ? "light" : "dark";
});

// Tables sort by a column: numbers before text, absent values last in both directions.
const absent = cell => ["", "–"].includes(cell.textContent.trim());
function compare(one, other) {
  const [a, b] = [one, other].map(cell => parseFloat(cell.dataset.value));
  if (!Number.isNaN(a) && !Number.isNaN(b)) return a - b;
  if (Number.isNaN(a) !== Number.isNaN(b)) return Number.isNaN(a) ? 1 : -1;
  return one.textContent.localeCompare(other.textContent, "en", {numeric: true});
}
function sort(table, column, ascending) {
  const rows = [...table.tBodies[0].rows];
  const last = rows.filter(row => absent(row.cells[column]));
  const first = rows.filter(row => !absent(row.cells[column]));
  first.sort((a, b) => (ascending ? 1 : -1) * compare(a.cells[column], b.cells[column]));
  table.tBodies[0].append(...first, ...last);
}
for (const table of document.querySelectorAll(".sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const ascending = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      sort(table, column, ascending);
    });
  });
}

// Images enlarge in a dialog, which Escape, its button or a click beside it closes.
const viewer = document.querySelector("#viewer");
for (const button of document.querySelectorAll(".enlarge")) {
  const image = button.querySelector("img");
  button.addEventListener("click", () => {
    viewer.querySelector("#viewed").textContent = button.closest("figure").querySelector("h3").textContent;
    viewer.querySelector(".large").replaceChildren(image.cloneNode());
    viewer.showModal();
  });
}
viewer.querySelector("#close").addEventListener("click", () => viewer.close());
viewer.addEventListener("click", event => event.target === viewer && viewer.close());
