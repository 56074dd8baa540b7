// TCP echo (`tcp PORT`) or HTTP with Node's own server (`http PORT`, GET /SIZE), one process.
// Node leaves Nagle's algorithm on for plain TCP; the other contenders turn it off, so does this.
"use strict";

const http = require("node:http");
const net = require("node:net");

const [protocol, port] = process.argv.slice(2);
const bodies = new Map();

function body(size) {
  if (!bodies.has(size)) bodies.set(size, Buffer.alloc(size, "x"));
  return bodies.get(size);
}

const server =
  protocol === "tcp"
    ? net.createServer({ noDelay: true }, (socket) => {
        socket.on("data", (data) => socket.write(data));
        socket.on("error", () => socket.destroy());
      })
    : http.createServer((request, response) => {
        const data = body(Number(request.url.slice(1)));
        response.writeHead(200, { "Content-Type": "text/plain", "Content-Length": data.length });
        response.end(data);
      });

server.listen({ port: Number(port), host: "127.0.0.1", backlog: 1024 });
