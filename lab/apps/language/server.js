// Node's own HTTP server and client: the calls of a request at once, or awaited one after another.
// LAB_ORDER says which: `together` or `sequential`. One process, one event loop, connections kept open.
"use strict";

const http = require("node:http");

const origin = process.env.LAB_ORIGIN;
const together = process.env.LAB_ORDER === "together";
const agent = new http.Agent({ keepAlive: true });

function call(path) {
  return new Promise((resolve, reject) => {
    const request = http.get(origin + path, { agent, timeout: 10_000 }, (response) => {
      let size = 0;
      response.on("data", (chunk) => (size += chunk.length));
      response.on("end", () =>
        response.statusCode === 200 ? resolve(size) : reject(new Error(response.statusCode)),
      );
    });
    request.on("timeout", () => request.destroy(new Error("timeout")));
    request.on("error", reject);
  });
}

async function page(query) {
  const calls = Number(query.get("calls"));
  const paths = Array(calls).fill(`/anything?latency_ms=${query.get("latency_ms")}`);
  const sizes = together ? await Promise.all(paths.map(call)) : [];
  if (!together) for (const path of paths) sizes.push(await call(path));
  return JSON.stringify({ calls, bytes: sizes.reduce((sum, size) => sum + size, 0) });
}

const server = http.createServer(async (request, response) => {
  try {
    const body = await page(new URL(request.url, origin).searchParams);
    const length = Buffer.byteLength(body);
    response.writeHead(200, { "Content-Type": "application/json", "Content-Length": length });
    response.end(body);
  } catch {
    response.writeHead(502).end();
  }
});

server.listen({ port: Number(process.argv[2]), host: "127.0.0.1", backlog: 1024 });
