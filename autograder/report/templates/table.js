// The table of a class: sort, search, filter, and pick by a check, a bug or a bar.
"use strict";
(() => {
  const table = document.getElementById("class");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const heads = Array.from(table.tHead.rows[0].cells);
  const find = (id) => document.getElementById(id);
  const search = find("search"), section = find("section"), kind = find("kind"), of = find("of");
  const told = find("told"), clear = find("clear");
  const names = rows.map((row) => row.cells[0].textContent.toLowerCase());
  const first = Number(table.dataset.first);
  let pick = null;

  const has = (cell, key, value) => (cell.dataset[key] || "").split(" ").includes(value);
  const cellsOf = (row) => {
    const cells = Array.from(row.cells).slice(first);
    return of.value === "" ? cells : [cells[Number(of.value)]];
  };

  function show() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let n = 0;
    rows.forEach((row, k) => {
      const keep =
        words.every((w) => names[k].includes(w)) &&
        (!section || section.value === "" || row.dataset.section === section.value) &&
        (kind.value === "" || cellsOf(row).some((c) => has(c, "k", kind.value))) &&
        (!pick || has(row.cells[first + pick.of], pick.key, pick.value));
      row.hidden = !keep;
      n += keep;
    });
    const why = pick ? ": " + pick.words : "";
    told.textContent = n + " of " + rows.length + " shown" + why;
    const idle = !pick && words.length === 0 && kind.value === "" && (!section || section.value === "");
    clear.hidden = idle;
  }

  function sort(column, button) {
    const down = heads[column].getAttribute("aria-sort") === "ascending";
    heads.forEach((h) => h.removeAttribute("aria-sort"));
    heads[column].setAttribute("aria-sort", down ? "descending" : "ascending");
    const value = (row) => {
      const cell = row.cells[column];
      if (cell.dataset.s === undefined) return cell.textContent.trim().toLowerCase();
      return cell.dataset.s === "" ? -1 : Number(cell.dataset.s);
    };
    const keyed = rows.map((row, k) => ({ row, k, v: value(row) }));
    keyed.sort((a, b) => {
      const order = typeof a.v === "number" ? a.v - b.v : a.v < b.v ? -1 : a.v > b.v ? 1 : 0;
      return (down ? -order : order) || a.k - b.k;
    });
    const all = document.createDocumentFragment();
    keyed.forEach(({ row }) => all.appendChild(row));
    body.appendChild(all);
    button.focus();
  }

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.textContent = head.textContent;
    button.addEventListener("click", () => sort(column, button));
    head.textContent = "";
    head.appendChild(button);
  });
  [search, section, kind, of].forEach((input) => {
    if (input) input.addEventListener("input", show);
  });
  clear.addEventListener("click", () => {
    pick = null;
    [search, section, kind, of].forEach((input) => { if (input) input.value = ""; });
    show();
    search.focus();
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-pick]");
    if (!link) return;
    const [of, key, value] = link.dataset.pick.split(":");
    pick = { of: Number(of), key, value, words: link.dataset.words };
    show();
  });
  find("controls").hidden = false;
  show();
})();
