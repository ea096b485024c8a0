import { Button as AriaButton, type ButtonProps as AriaProps } from "react-aria-components";

import styles from "./Button.module.css";

export interface ButtonProps extends Omit<AriaProps, "className" | "style"> {
  kind?: "plain" | "primary" | "danger" | "quiet";
  /** Without words: it needs an `aria-label`. */
  icon?: boolean;
}

/** What does something when pressed. */
export function Button({ kind = "plain", icon = false, ...props }: ButtonProps) {
  return <AriaButton {...props} className={`${styles.button} ${styles[kind]} ${icon ? styles.icon : ""}`} />;
}
