// What a page is given: JSON made by mipha_eval/page/. A test has the compiler hold real data against these types.

/** Of `mipha-eval view`: what the page knows before it reads any question. */
export interface ViewDocument {
  /** The program that made the page, with its version. */
  by: string;
  runs: Run[];
  tasks: Task[];
  /** A table of headline scores, to be copied. */
  latex: string;
  /** Pictures in an element `images-N`. */
  imagePiece: number;
  /** Whether rows and pictures come from the server instead of from elements of the page. */
  served: boolean;
  /** Labels of tasks whose questions do not fit into the page. */
  leftOut: string[];
}

/** Of `mipha-eval leaderboard`. */
export interface LeaderboardDocument {
  by: string;
  title: string;
  runs: RankedRun[];
  tasks: Board[];
}

export interface Run {
  name: string;
  folder: string;
  /** Billions of parameters; null if nobody knows. */
  size: number | null;
  /** How the run was made: names and values. */
  made: [name: string, value: string][];
}

export interface RankedRun extends Run {
  /** Address of the run's own page. */
  page: string;
}

/** A task with its results, and an index by which its questions are filtered; lists over runs hold null for a run without it. */
export interface Task {
  label: string;
  /** Of each question; also the length of `kind` and of each text in `states`. */
  ids: string[];
  count: number;
  /** Questions in an element `rows-N-M`, and on a page of the list. */
  piece: number;
  /** Distinct lists of categories. */
  kinds: string[][];
  /** Of each question its place in `kinds`. */
  kind: number[];
  /** Of each run a letter a question, see outcomes.js. */
  states: (string | null)[];
  /** Of each run what answers are worth that are neither right nor wrong, by the question's place. */
  values: (Record<number, number | null> | null)[];
  results: (Result | null)[];
}

export interface Result {
  /** Name of the metric that stands for the task. */
  headline: string;
  /** Its value as text. */
  score: string;
  /** What a reader must know before comparing the score, in full and in short. */
  marks: string[];
  shortMarks: string[];
  metrics: Metric[];
  n: number;
  missing: number;
  failed: number;
  unparsed: number;
  unlabelled: number;
  total: number | null;
  /** The headline with all unparsed answers wrong, and with all of them right. */
  envelope: Pair | null;
  /** What a lenient reading gives, in words. */
  lenient: string;
  /** Answers whose wrapping was taken off, a line each. */
  wrapped: string[];
  /** Rule of reading -> answers that it read. */
  rules: Record<string, number>;
  /** Reason -> failed requests. */
  failures: Record<string, number>;
  probabilities: Probabilities | null;
  equivalence: Equivalence | null;
  /** Date and digest of the scorer's certificate. */
  certificate: string | null;
  seconds: number | null;
  /** Samples a second. */
  speed: number | null;
  /** What each judge's result says, a line each. */
  judges: string[];
  /** Who answered and what it took, where a server did; else empty. */
  served: string;
}

export type Pair = [low: number, high: number];

/** A 95 % interval, or why there is none. */
export interface Interval {
  interval: Pair | null;
  no_interval: string;
}

export interface Metric extends Interval {
  name: string;
  value: number | null;
  unit: string;
  /** The most that it could be; null without such a limit. */
  most: number | null;
}

/** How well probabilities of answers are calibrated. */
export interface Probabilities {
  n: number;
  /** In percent: how often the likeliest answer is right, and the sum of the chances of all possible answers. */
  accuracy: number;
  mass: number;
  auc: number | null;
  calibration_error: number;
  brier: number;
  /** Questions, their mean confidence, and the share of them that is right. */
  bins: [n: number, confidence: number, accuracy: number][];
}

/** Answers that were made a second time, without sharing anything. */
export interface Equivalence {
  checked: number;
  identical: number;
  exact: boolean;
}

/** A question and what each run made of it. */
export interface Row {
  id: string;
  /** What was asked. */
  prompt: string;
  /** What is accepted; of a question with options the right letter. */
  target: string[];
  /** The options, in the order of their letters; an empty one is none. */
  choices: string[];
  categories: string[];
  /** Places of questions that are scored together with it. */
  together: number[];
  images: Picture[];
  answers: (Answer | null)[];
}

export type Picture = [number: number, name: string];

/** What one run made of a question; what is empty is left out. */
export interface Answer {
  text?: string;
  /** Why the request failed. */
  error?: string;
  /** Who answered and what it took, where a server did. */
  served?: string;
  /** Whether it ended at the limit of tokens. */
  cut?: boolean;
  /** How probable the model held each possible answer. */
  probabilities?: [name: string, chance: number][];
  verdicts?: Verdict[];
  reference?: MadeAgain;
  value?: number;
  reading?: unknown;
  rule?: string;
  /** What a judge gives for it beside the task's own rule. */
  opinion?: [value: number];
  unparsed?: boolean;
  /** The part of the text that was read, counted as JavaScript counts characters. */
  span?: [start: number, end: number];
  details?: Record<string, unknown>;
}

export interface Verdict {
  judge: string;
  text: string;
  /** Why it does not count; empty if it does. */
  error: string;
}

/** The same answer made without sharing. */
export interface MadeAgain {
  same?: boolean;
  text?: string;
  error?: string;
}

/** A task's part of a leaderboard. */
export interface Board {
  label: string;
  /** By number of the run. */
  entries: Record<number, Entry>;
  groups: Group[];
}

export interface Entry extends Interval {
  metric: string;
  score: string;
  value: number | null;
  n: number;
  marks: string[];
  shortMarks: string[];
  /** First and last rank in the group; null with nobody to rank with. */
  rank?: Pair | null;
  /** Number of the group; missing if the result is not ranked. */
  group?: number;
  /** Why it is not ranked. */
  why?: string;
}

/** Runs that are ranked together. */
export interface Group {
  runs: number;
  questions: number;
  /** Whether they were asked something else than what the task's name says. */
  special: boolean;
}
