// Chats with OpenAI's own library and prints what it heard: node chat.mjs BASE_URL TOKEN
import OpenAI from "openai";

const [baseURL, apiKey] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const question = { model: "echo@cam", messages: [{ role: "user", content: "one two" }] };

const models = [];
for await (const model of client.models.list()) models.push(model.id);
const whole = await client.chat.completions.create(question);
const pieces = [];
for await (const chunk of await client.chat.completions.create({ ...question, stream: true })) {
  if (chunk.choices[0]?.delta.content) pieces.push(chunk.choices[0].delta.content);
}
let refused = "";
try {
  await client.chat.completions.create({ ...question, model: "gpt-4" });
} catch (error) {
  refused = error.code;
}
const said = { models, whole: whole.choices[0].message.content, pieces };
console.log(JSON.stringify({ ...said, evidence: whole.flashback.evidence.length, refused }));
