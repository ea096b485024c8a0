import "./ui/base.css";

import { createRoot } from "react-dom/client";

import { Console } from "./app/Console";
import { noteMissing } from "./app/missing";
import { applyTheme } from "./app/theme";

applyTheme();
noteMissing();

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(<Console />);
}
