// Asks one question with OpenAI's agents and prints the conversation: node agents.mjs WS_URL TOKEN
import { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession } from "@openai/agents-realtime";

const [url, apiKey] = process.argv.slice(2);
const session = new RealtimeSession(new RealtimeAgent({ name: "watcher", instructions: "Say" }), {
  transport: new OpenAIRealtimeWebSocket({ url }),
  model: "echo",
  config: { outputModalities: ["text"] },
});

session.on("error", ({ error }) => {
  console.error(JSON.stringify(error.error ?? error) + (error.message ?? ""));
  process.exit(1);
});
session.on("history_updated", (history) => {
  const said = history.filter((line) => line.type === "message");
  const answer = said.at(-1);
  if (answer?.role !== "assistant" || answer.status !== "completed") return;
  console.log(JSON.stringify(said.map(({ role, content }) => [role, content[0].text])));
  session.close();
});
await session.connect({ apiKey, url });
session.sendMessage("one two");
