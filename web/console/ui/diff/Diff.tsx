import { lazy, Suspense } from "react";

import { Loading } from "../states";

const SideBySide = lazy(() => import("./SideBySide"));

export interface DiffProps {
  before: string;
  after: string;
  beforeLabel: string;
  afterLabel: string;
}

/** What one text has that the other has not: side by side, or one below the other where there is little room. */
export function Diff(props: DiffProps) {
  return (
    <Suspense fallback={<Loading label="Comparing" />}>
      <SideBySide {...props} />
    </Suspense>
  );
}
