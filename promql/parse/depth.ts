/** Deeper nesting would exhaust the stack. */
export const NESTING_MAX = 500

/** Rows of operators make deep trees, too; everything that walks them is recursive. */
export const DEPTH_MAX = 1500
