
"use strict";
// Headers become buttons that sort, counts become buttons that filter. Without this script the table is whole.
const body = document.querySelector("#pictures tbody");
const rows = Array.from(body.rows);
const headers = Array.from(document.querySelectorAll("#pictures th[data-column]"));
const status = document.getElementById("status");

function buttonIn(element, onClick) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...element.childNodes);
  button.addEventListener("click", onClick);
  element.append(button);
  return button;
}

function key(row, column) {
  const number = row.cells[column].querySelector("data");
  return number ? Number(number.value) : row.cells[column].textContent;
}

function sortBy(header) {
  const direction = header.ariaSort === "ascending" ? "descending" : "ascending";
  const sign = direction === "ascending" ? 1 : -1;
  const column = Number(header.dataset.column);
  for (const other of headers) other.ariaSort = null;
  header.ariaSort = direction;
  const compare = (a, b) =>
    typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true });
  // equal rows stay in the file's order
  body.append(...rows.slice().sort((a, b) => sign * compare(key(a, column), key(b, column))));
}

for (const header of headers) buttonIn(header, () => sortBy(header));

const filters = [];
const showAll = document.createElement("button");
showAll.type = "button";
showAll.textContent = "show all";
showAll.hidden = true;
showAll.addEventListener("click", () => filterBy(null));
document.getElementById("controls").append(showAll);

function filterBy(chosen) {
  for (const filter of filters) filter.button.ariaPressed = String(filter === chosen);
  let shown = 0;
  for (const row of rows) {
    row.hidden = chosen !== null && !row.dataset.cells.split(" ").includes(chosen.cell);
    if (!row.hidden) shown += 1;
  }
  showAll.hidden = chosen === null;
  status.textContent = chosen === null
    ? `All ${rows.length} pictures.`
    : `${shown} of ${rows.length} pictures: ${chosen.meaning}.`;
}

for (const count of document.querySelectorAll("[data-cell]")) {
  if (count.textContent === "0") continue;
  const filter = { cell: count.dataset.cell, meaning: count.dataset.meaning };
  filter.button = buttonIn(count, () =>
    filterBy(filter.button.ariaPressed === "true" ? null : filter));
  filter.button.ariaLabel = `${count.textContent}: ${filter.meaning}, show only these`;
  filters.push(filter);
}
filterBy(null);
