// The small pictures beside names: lines on a field of 24, drawn in the colour of the text around them.

import { s } from "./dom.js";

export const PATHS = {
  map: "M4 6h5v5H4zM15 4h5v5h-5zM15 15h5v5h-5zM9 8.5h6M9 9l6 8",
  requests: "M4 6h16M4 12h10M4 18h13",
  routes: "M6 4v9a4 4 0 0 0 4 4h9M15 13l4 4-4 4M6 4l-2 2M6 4l2 2",
  functions: "M6 20l7.5-16h2L19 20h-2M10.5 12L7 20H5",
  tables: "M4 7c0-4 16-4 16 0v10c0 4-16 4-16 0zM4 7c0 4 16 4 16 0M4 12c0 4 16 4 16 0",
  roles: "M12 3l8 3v6c0 5-3.5 8-8 9-4.5-1-8-4-8-9V6zM9 12l2 2 4-4",
  bill: "M6 3h12v18l-3-2-3 2-3-2-3 2zM9 8h6M9 12h6",
  manifest: "M5 4h14v16H5zM8 9l1.5 1.5L12 8M8 15l1.5 1.5L12 14M14 9.5h3M14 15.5h3",
  door: "M5 21V4h10v17M3 21h18M15 6l4 2v13M12 12.5v.5",
  function: "M6 20l7.5-16h2L19 20h-2M10.5 12L7 20H5",
  table: "M4 7c0-4 16-4 16 0v10c0 4-16 4-16 0zM4 7c0 4 16 4 16 0M4 12c0 4 16 4 16 0",
  event: "M13 3L5 13h6l-1 8 8-11h-6z",
};

/** An icon for a piece of text. */
export const icon = (name) => s("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" }, s("path", { d: PATHS[name] }));
