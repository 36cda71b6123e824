/** How every exported function is called validly, as data, with what each of its arguments allows. @module */
import type { Rows } from "./hostile_argument.ts";
import { pictureRows } from "./hostile_rows_pictures.ts";
import { samplerRows } from "./hostile_rows_samplers.ts";
import { tensorRows } from "./hostile_rows_tensors.ts";
import { numberRows } from "./hostile_rows_numbers.ts";
import { trainingRows } from "./hostile_rows_training.ts";

export const rows: Rows = { ...numberRows, ...samplerRows, ...tensorRows, ...trainingRows, ...pictureRows };
