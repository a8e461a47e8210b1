"use strict";
const find = document.getElementById("find"), count = document.getElementById("count");
const entries = [...document.querySelectorAll(".list li")];
const plain = (text) => text.toLowerCase().replaceAll("_", " ");
const texts = entries.map((e) => plain(`${e.closest("section").firstChild.textContent} ${e.textContent}`));
function look() {
  const words = plain(find.value).split(/\s+/).filter(Boolean);
  let shown = 0;
  entries.forEach((e, k) => { e.hidden = !words.every((w) => texts[k].includes(w)); shown += !e.hidden; });
  for (const part of document.querySelectorAll("section")) part.hidden = !part.querySelector("li:not([hidden])");
  count.textContent = `${shown} of ${entries.length} bugs`;
}
find.addEventListener("input", look);
find.value = decodeURIComponent(location.hash.slice(1));
find.closest("p").hidden = false;
look();
