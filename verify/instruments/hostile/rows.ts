/** How every exported function is called validly, as data, with what each of its arguments allows. @module */
import type { Rows } from "./argument.ts";
import { callRows } from "./rows_calls.ts";
import { conformanceRows } from "./rows_conformance.ts";
import { pictureRows } from "./rows_pictures.ts";
import { samplerRows } from "./rows_samplers.ts";
import { tensorRows } from "./rows_tensors.ts";
import { numberRows } from "./rows_numbers.ts";
import { imageRunRows } from "./rows_image_runs.ts";
import { runRows } from "./rows_runs.ts";
import { trainingRows } from "./rows_training.ts";

export const rows: Rows = {
  ...numberRows,
  ...samplerRows,
  ...tensorRows,
  ...trainingRows,
  ...pictureRows,
  ...runRows,
  ...imageRunRows,
  ...callRows,
  ...conformanceRows,
};
