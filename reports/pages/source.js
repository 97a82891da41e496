// Where rows and pictures come from: elements of the page, or the server that it came from.

/** @import { Row, Task } from "./types" */

/**
 * Gives a page its rows and pictures, which it knows by number.
 *
 * @typedef {object} Source
 * @property {(task: number, places: number[]) => Promise<Row[]>} rows
 * @property {(task: number, text: string) => Promise<Set<number>>} search the places of the rows whose texts hold a text
 * @property {(picture: number) => Promise<string | null>} thumbnail its address; null if it is not there
 * @property {(picture: number) => string | null} whole the address of a picture as it is stored; null if there is none
 */

/**
 * The JSON in an element, which is emptied, or null.
 *
 * @param {string} id
 */
export function embedded(id) {
  const element = document.getElementById(id);
  if (element === null) return null;
  const value = JSON.parse(element.textContent);
  element.remove();
  return value;
}

/**
 * Keeps what was read.
 *
 * @template Value
 * @param {(key: string) => Value} read
 */
function remembering(read) {
  /** @type {Map<string, Value>} */
  const kept = new Map();
  /** @param {string} key */
  return (key) => {
    const known = kept.get(key);
    if (known !== undefined) return known;
    const value = read(key);
    kept.set(key, value);
    return value;
  };
}

/**
 * @param {Task[]} tasks
 * @param {number} imagePiece pictures in an element
 * @returns {Source}
 */
export function embeddedSource(tasks, imagePiece) {
  const rowsOf = remembering((key) => /** @type {Row[]} */ (embedded(`rows-${key}`)));
  const imagesOf = remembering((piece) => /** @type {(string | null)[]} */ (embedded(`images-${piece}`) ?? []));
  // rows stand before the scripts, pictures behind them
  const ready =
    document.readyState === "loading"
      ? new Promise((resolve) => document.addEventListener("DOMContentLoaded", resolve, { once: true }))
      : Promise.resolve();
  /**
   * @param {number} task
   * @param {number} place
   */
  const row = (task, place) => {
    const { piece } = tasks[task];
    return rowsOf(`${task}-${Math.floor(place / piece)}`)[place % piece];
  };
  return {
    rows: async (task, places) => places.map((place) => row(task, place)),
    search: async (task, text) => {
      const wanted = text.toLowerCase();
      const places = Array.from({ length: tasks[task].count }, (_, place) => place);
      return new Set(places.filter((place) => searched(row(task, place)).includes(wanted)));
    },
    thumbnail: async (number) => {
      await ready;
      return imagesOf(String(Math.floor(number / imagePiece)))[number % imagePiece] ?? null;
    },
    whole: () => null,
  };
}

/**
 * What a search looks through.
 *
 * @param {Row} row
 */
function searched(row) {
  const answers = row.answers.filter((answer) => answer !== null);
  const read = answers.flatMap((answer) => [answer.text ?? "", String(answer.reading ?? ""), answer.error ?? ""]);
  return [row.id, row.prompt, ...row.target, ...row.choices, ...read].join("\n").toLowerCase();
}

/** @returns {Source} */
export function servedSource() {
  /** @param {string} path */
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
