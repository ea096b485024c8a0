import type { Account } from "../../api/account";

const BEFORE_TOKEN = /^bearer(\s+|$)/i;
const PLAIN = /^[\x21-\x7e]+$/;
const NOT_PLAIN = /[^\x21-\x7e]+/g;

/** The account of a pasted token or key, also of a whole `Bearer …`; null for what can be neither. */
export function pasted(text: string): Account | null {
  const credential = text.trim().replace(BEFORE_TOKEN, "");
  return PLAIN.test(credential) ? { kind: "credential", credential } : null;
}

/** The account of a name, `user` or `user@tenant`; null for nobody in particular. Headers hold plain characters alone. */
export function named(text: string): Account | null {
  const user = text.trim().replace(NOT_PLAIN, encodeURIComponent);
  return user === "" ? null : { kind: "name", user };
}
