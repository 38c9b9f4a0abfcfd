import type { Context, WorkFacts } from "@securing-tasks/sandbox";
import { baseOf, payloadText } from "./service";

export { respond } from "./respond";

/** The work is to be there: the payload says where, and who signs what is answered. */
export function work({ publicUrl, owner, round, operator }: Context<WorkFacts>): string {
  if (publicUrl === null) {
    throw new Error(
      "This task needs a REST service: set http.publicUrl in the node's configuration.",
    );
  }
  const service = baseOf(publicUrl);
  if (service === null) {
    throw new Error(
      `The audit can't ask ${publicUrl}: set http.publicUrl in the node's configuration to an http(s) URL in plain ASCII, without a user name, ? or #.`,
    );
  }
  return payloadText({ service, owner, round, operator });
}
