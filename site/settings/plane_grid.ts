/** The grids over the square of the plane, of densities and of arrows. @module */

/** Cells along a side of a density. */
export const CELLS = 48;
/** Arrows along a side. */
export const ARROWS = 13;
