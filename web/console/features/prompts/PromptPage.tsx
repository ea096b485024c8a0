import { useQuery } from "@apollo/client/react";
import { Link, useParams } from "react-router";

import { Page } from "../../ui/Page";
import { Empty, Failure, Loading } from "../../ui/states";
import { PromptByIdDocument } from "./documents.generated";
import { Prompt } from "./Prompt";

/** The prompt of the address. */
export function Component() {
  const { templateId = "" } = useParams();
  const { data, error, refetch } = useQuery(PromptByIdDocument, { variables: { id: templateId } });
  if (data?.promptTemplate) {
    return <Prompt key={templateId} template={data.promptTemplate} />;
  }
  return (
    <Page title="Prompt">
      {error ? (
        <Failure error={error} onRetry={() => void refetch()} />
      ) : data ? (
        <Empty title="There is no such prompt" action={<Link to="/prompts">To the library</Link>}>
          The link may be an old one, or mistyped.
        </Empty>
      ) : (
        <Loading label="Loading the prompt" />
      )}
    </Page>
  );
}
