/**
 * Checks of what the page asks for: names and sizes, before anything is computed. The library checks the rest.
 * @module
 */
import type { JobKind, ToWorker } from "../protocol.ts";
import { PIXELS } from "../settings/pixels.ts";

/** The fields of each kind of request. */
const FIELDS: Readonly<Record<JobKind, readonly string[]>> = {
  draw: ["sampler", "sde", "steps", "label", "guidance", "count", "seed"],
  complete: ["image", "mask", "method", "steps", "count", "seed"],
  colour: ["image", "steps", "count", "seed"],
  field: ["kind"],
  plane: ["shape", "particles", "steps", "stepSize", "distance", "seed"],
  bits: ["image", "method", "steps", "seed"],
};

/** The most steps, digits and particles that a request may have. */
const MOST: Readonly<Record<string, number>> = { steps: 1000, count: 16, particles: 1000 };

/**
 * Throws unless a message is one of those that a page sends.
 * @throws {TypeError | RangeError} in one sentence
 */
export function checkMessage(message: unknown): asserts message is ToWorker {
  if (typeof message !== "object" || message === null) {
    throw new TypeError(`a message must be an object, got ${String(message)}`);
  }
  const { kind } = message as { kind?: unknown };
  if (kind !== "open" && kind !== "start" && kind !== "stop") {
    throw new TypeError(`a message's kind must be open, start or stop, got ${String(kind)}`);
  }
  if (kind === "open") return;
  const { job } = message as { job?: unknown };
  if (!Number.isSafeInteger(job)) throw new TypeError(`a job's number must be whole, got ${String(job)}`);
}

/**
 * Throws unless a request has its fields, and no more steps, digits and particles than the playground has.
 * @throws {TypeError | RangeError} in one sentence
 */
export function checkRequest(what: unknown, request: unknown): asserts what is JobKind {
  if (typeof what !== "string" || !Object.hasOwn(FIELDS, what)) {
    throw new TypeError(`a job must be one of ${Object.keys(FIELDS).join(", ")}, got ${String(what)}`);
  }
  if (typeof request !== "object" || request === null) {
    throw new TypeError(`the request of ${what} must be an object, got ${String(request)}`);
  }
  const fields = request as Readonly<Record<string, unknown>>;
  const missing = FIELDS[what as JobKind].find((name) => fields[name] === undefined);
  if (missing !== undefined) throw new TypeError(`the request of ${what} has no ${missing}`);
  for (const [name, most] of Object.entries(MOST)) {
    const value = fields[name];
    if (value === undefined || (name === "steps" && value === null)) continue;
    if (!(Number.isInteger(value) && value as number >= 1 && value as number <= most)) {
      throw new RangeError(`${name} must be a whole number from 1 to ${most}, got ${String(value)}`);
    }
  }
  for (const name of ["image", "mask"]) {
    const pixels = fields[name];
    if (pixels === undefined) continue;
    if (!(pixels instanceof Uint8Array) || pixels.length !== PIXELS) {
      throw new TypeError(`${name} must be ${PIXELS} bytes`);
    }
    if (name === "mask" && pixels.some((value) => value > 1)) throw new RangeError("a mask holds 0 and 1");
  }
}
