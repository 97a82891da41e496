"use strict";
// Where rows and pictures come from: elements of the page, or the server that it came from.

/** The JSON in an element, which is emptied, or null. */
function embedded(id) {
  const element = document.getElementById(id);
  if (element === null) return null;
  const value = JSON.parse(element.textContent);
  element.remove();
  return value;
}

/** Keeps what was read. */
function remembering(read) {
  const kept = new Map();
  return (key) => {
    if (!kept.has(key)) kept.set(key, read(key));
    return kept.get(key);
  };
}

function embeddedSource(tasks, imagePiece) {
  const rowsOf = remembering((key) => embedded(`rows-${key}`));
  const imagesOf = remembering((piece) => embedded(`images-${piece}`));
  // rows stand before the scripts, pictures behind them
  const ready =
    document.readyState === "loading"
      ? new Promise((resolve) => document.addEventListener("DOMContentLoaded", resolve, { once: true }))
      : Promise.resolve();
  const row = (task, place) => {
    const piece = Math.floor(place / tasks[task].piece);
    return rowsOf(`${task}-${piece}`)[place % tasks[task].piece];
  };
  return {
    async rows(task, places) {
      return places.map((place) => row(task, place));
    },
    /** The places whose texts hold what is searched. */
    async search(task, text) {
      const wanted = text.toLowerCase();
      const places = Array.from({ length: tasks[task].count }, (_, place) => place);
      return new Set(places.filter((place) => searched(row(task, place)).includes(wanted)));
    },
    async thumbnail(number) {
      await ready;
      return imagesOf(Math.floor(number / imagePiece))?.[number % imagePiece] ?? null;
    },
    whole: () => null,
  };
}

/** What a search looks through. */
function searched(row) {
  const answers = row.answers.filter((answer) => answer !== null);
  const read = answers.flatMap((answer) => [answer.text ?? "", String(answer.reading ?? ""), answer.error ?? ""]);
  return [row.id, row.question, ...row.references, ...read].join("\n").toLowerCase();
}

function servedSource() {
  const ask = async (path) => {
    const response = await fetch(path);
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return response.json();
  };
  return {
    rows: (task, places) => ask(`rows/${task}?places=${places.join(",")}`),
    search: async (task, text) => new Set(await ask(`search/${task}?text=${encodeURIComponent(text)}`)),
    thumbnail: async (number) => `thumbnails/${number}`,
    whole: (number) => `images/${number}`,
  };
}
