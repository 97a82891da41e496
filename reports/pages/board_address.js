// The addresses of a leaderboard.

import { Address } from "./address.js";

/** `sort`: a column; `down`: "1" for the largest first. */
export const address = new Address({ task: "", protocol: "", size: "", text: "", sort: "", down: "" });

/** @typedef {typeof address.first} View */
