// Asks one question with OpenAI's own library and prints the answer: node openai.mjs BASE_URL TOKEN
import OpenAI from "openai";
import { OpenAIRealtimeWS } from "openai/realtime/ws";

const [baseURL, apiKey] = process.argv.slice(2);
const realtime = new OpenAIRealtimeWS({ model: "echo" }, new OpenAI({ baseURL, apiKey }));

realtime.on("error", (error) => {
  console.error(error.message);
  process.exit(1);
});
realtime.on("session.created", () => {
  realtime.send({
    type: "session.update",
    session: { type: "realtime", model: "echo", output_modalities: ["text"], instructions: "Say" },
  });
  const content = [{ type: "input_text", text: "one two" }];
  realtime.send({ type: "conversation.item.create", item: { type: "message", role: "user", content } });
  realtime.send({ type: "response.create" });
});
realtime.on("response.output_text.done", (event) => console.log(event.text));
realtime.on("response.done", () => realtime.close());
