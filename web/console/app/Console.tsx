import { ApolloProvider } from "@apollo/client/react";
import { RouterProvider as AriaRouter } from "react-aria-components";
import { RouterProvider } from "react-router/dom";

import { client } from "../api/client";
import { Toasts } from "../ui/toasts";
import { go, router } from "./router";

/** The application: what every page has around it. */
export function Console() {
  return (
    <ApolloProvider client={client}>
      <AriaRouter navigate={go}>
        <RouterProvider router={router} />
        <Toasts />
      </AriaRouter>
    </ApolloProvider>
  );
}
