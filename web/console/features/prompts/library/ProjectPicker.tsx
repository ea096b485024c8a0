import { useQuery } from "@apollo/client/react";
import { useState } from "react";

import { Select, TextField } from "../../../ui/fields";
import { PromptProjectsDocument } from "./documents.generated";
import { LaterField } from "./LaterField";

const NAMED = "named";

export interface ProjectPickerProps {
  /** What it says where none is chosen. */
  none: string;
  /** The id of the project, or a name that another application has for one; empty for none. */
  value: string;
  onChange: (value: string) => void;
  /** A name is told of when the person pauses. */
  later?: boolean;
}

/** A project of the workflow, or one that only another application knows, by the name it has there. */
export function ProjectPicker({ none, value, onChange, later = false }: ProjectPickerProps) {
  const { data } = useQuery(PromptProjectsDocument);
  const [naming, setNaming] = useState(false);
  const projects = data?.projects.edges.map(({ node }) => node) ?? [];
  const isKnown = value === "" || projects.some(({ id }) => id === value);
  const isNamed = naming || (data !== undefined && !isKnown);
  const Named = later ? LaterField : TextField;
  return (
    <>
      <Select
        label="Project"
        value={isNamed ? NAMED : value}
        choices={[
          { value: "", label: none },
          ...projects.map(({ id, name }) => ({ value: id, label: name })),
          { value: NAMED, label: "Another, by its name…" },
        ]}
        onChange={(next) => {
          setNaming(next === NAMED);
          onChange(next === NAMED ? "" : next);
        }}
      />
      {isNamed && <Named label="Name of the project" value={isKnown ? "" : value} onChange={onChange} />}
    </>
  );
}
