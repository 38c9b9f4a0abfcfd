import { requestOf } from "@securing-tasks/sandbox";
import { expect } from "chai";

describe("what a service asks its function", () => {
  const ask = (target: string) => requestOf("GET", target, "");

  it("is what the client asked for", () => {
    expect(requestOf("POST", "/task/a/b%20c//d?x=1&y=a+b%26%C3%A4&z", "body")).to.deep.equal({
      method: "POST",
      path: "/a/b%20c//d",
      query: { x: "1", y: "a b&ä", z: "" },
      body: "body",
    });
    expect(ask("/task/")?.path).to.equal("/");
    expect(ask("/task")?.path).to.equal("/");
    expect(ask("/task?a=b=c"))
      .to.include({ path: "/" })
      .and.to.deep.include({
        query: { a: "b=c" },
      });
    expect(Object.entries(ask("/task?__proto__=1")?.query ?? {})).to.deep.equal([
      ["__proto__", "1"],
    ]);
  });

  it("is nothing where it would be asked for something else", () => {
    for (const odd of [
      "/task/../answer",
      "/task/./answer",
      "/task/a/%2e%2E/answer",
      "/task/..",
      "/task/.a/..",
      "/task/.a/b/.",
      "/task\\answer",
      "/task/a\\b",
      "/task/a b",
      "/task/a\tb",
      "/task/answer#x",
      "/task/answer?#",
      "/task/ä",
      "/task/a?b=ä",
      "/task/%zz",
      "/task/%ff",
      "/task/a?b=%",
      "/task/a?b=%ff",
      "/task/a?b=%ed%a0%80",
      "/task/a?b=1&b=2",
      "/task/a?b=1&%62=1",
      "/task/a?",
      "http://node/task/a",
      "//node/task/a",
      "/%74ask/a",
      "/tasks/a",
      "/other",
      "",
      "*",
    ]) {
      expect(ask(odd), odd).to.equal(null);
    }
  });
});
