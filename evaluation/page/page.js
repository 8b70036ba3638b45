"use strict";
// Values lie in the cells in full, as JSON: what is shown is rounded.
const values = (cell) => JSON.parse(cell.dataset.values);

function sort(table, column, header) {
  const descending = header.getAttribute("aria-sort") === "ascending";
  const way = descending ? -1 : 1;
  for (const other of header.parentNode.children) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", descending ? "descending" : "ascending");
  const rows = [...table.tBodies[0].rows].map((row) => [values(row.cells[column])[0], row]);
  rows.sort(([a], [b]) => {
    // What has no value comes last either way.
    if (a === null || b === null) return (a === null) - (b === null);
    return way * (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));
  });
  for (const [, row] of rows) table.tBodies[0].append(row);
}

function records(table) {
  const names = [...table.tHead.rows[0].cells].flatMap((cell) => JSON.parse(cell.dataset.names));
  const rows = [...table.tBodies[0].rows].map((row) => [...row.cells].flatMap(values));
  return [names, ...rows].map((row) => row.map((value) => (value === null ? "" : String(value))));
}

function csv(table) {
  const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return records(table).map((row) => row.map(quoted).join(",") + "\n").join("");
}

function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Pages that are opened as files have no clipboard in some browsers.
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
  return Promise.resolve();
}

for (const card of document.querySelectorAll(".card.table")) {
  const table = card.querySelector("table");
  [...table.tHead.rows[0].cells].forEach((header, column) => {
    const button = header.querySelector("button");
    button.disabled = false;
    button.title = "Sort";
    button.addEventListener("click", () => sort(table, column, header));
  });
  card.querySelector(".tools").hidden = false;
  card.querySelector(".copy").addEventListener("click", async (event) => {
    await copy(records(table).map((row) => row.join("\t")).join("\n"));
    event.target.textContent = "Copied";
    setTimeout(() => { event.target.textContent = "Copy"; }, 1500);
  });
  card.querySelector(".save").addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([csv(table)], { type: "text/csv" }));
    link.download = card.dataset.file;
    link.click();
    URL.revokeObjectURL(link.href);
  });
}

const folds = [...document.querySelectorAll("details")];
const unfold = document.querySelector(".unfold");
unfold.hidden = folds.length === 0;
unfold.addEventListener("click", () => folds.forEach((fold) => { fold.open = true; }));
// On paper nothing can be unfolded.
let folded = [];
addEventListener("beforeprint", () => {
  folded = folds.filter((fold) => !fold.open);
  folded.forEach((fold) => { fold.open = true; });
});
addEventListener("afterprint", () => folded.forEach((fold) => { fold.open = false; }));
