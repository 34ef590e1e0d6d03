// Orders, as service.py, in Node's standard library: the same answers, and the same questions to the database and the queue.
"use strict"

const http = require("node:http")
const net = require("node:net")
const { setTimeout: sleep } = require("node:timers/promises")

const PATIENCE = 800 // ms for an answer of the database or of the queue
const STUCK = 5000 // ms for one turn of the sender; only a hang takes longer
const DRAIN = 2000 // ms that Services need to notice that it ends

// A connection on which each line is answered by a line. It is opened again when it broke.
class Line {
  constructor(address) {
    const at = address.lastIndexOf(":")
    this.host = address.slice(0, at)
    this.port = Number(address.slice(at + 1))
    this.socket = null
    this.waiting = [] // those that have asked, in their order
  }

  ask(text) {
    return new Promise((answered, failed) => {
      const socket = this.socket ?? this.open()
      const question = { answered, failed }
      question.timer = setTimeout(() => socket.destroy(new Error("no answer")), PATIENCE)
      this.waiting.push(question)
      socket.write(text + "\n")
    })
  }

  open() {
    const socket = net.connect(this.port, this.host)
    let rest = ""
    socket.setEncoding("utf8")
    socket.on("data", data => {
      const lines = (rest + data).split("\n")
      rest = lines.pop()
      for (const line of lines) this.next()?.answered(line)
    })
    let reason = new Error("closed")
    socket.on("error", e => { reason = e })
    socket.on("end", () => socket.destroy())
    socket.on("close", () => {
      if (this.socket === socket) this.socket = null
      for (let q = this.next(); q; q = this.next()) q.failed(reason)
    })
    return this.socket = socket
  }

  next() {
    const question = this.waiting.shift()
    clearTimeout(question?.timer)
    return question
  }
}

const database = new Line(process.env.DATABASE)
const queue = new Line(process.env.QUEUE)
const unsent = []
let ready = false
let ending = false
let beat = Date.now()

// Asks the database again and again.
async function check() {
  for (;;) {
    ready = await database.ask("ping").then(() => true, () => false)
    await sleep(500)
  }
}

// Gives orders to the queue, one after the other. What liveness watches is that it goes round, not that the queue is there.
async function send() {
  for (;;) {
    beat = Date.now()
    const sent = unsent.length > 0 && await queue.ask("put " + unsent[0]).then(() => true, () => false)
    if (sent) unsent.shift()
    else await sleep(500)
  }
}

async function body(request) {
  let text = ""
  for await (const part of request.setEncoding("utf8")) text += part
  return text
}

async function answer(request, response) {
  const reply = (status, text = "") => response.writeHead(status, { "Content-Length": Buffer.byteLength(text + "\n") }).end(text + "\n")
  const ask = async text => {
    try {
      reply(200, await database.ask(text))
      return true
    } catch (e) {
      reply(503, `the database does not answer: ${e.message}`)
      return false
    }
  }
  if (request.method === "POST") {
    if (await ask("set " + JSON.stringify(await body(request)))) unsent.push("order")
  } else if (request.url === "/livez") reply(Date.now() - beat < STUCK ? 200 : 503)
  else if (request.url === "/readyz") reply(ready && !ending ? 200 : 503)
  else if (request.url === "/orders") await ask("count")
  else reply(request.url === "/" ? 200 : 404)
}

const server = http.createServer((request, response) => {
  answer(request, response).catch(() => response.destroy()) // the client has gone
})
server.listen(Number(process.env.PORT), "127.0.0.1")
check()
send()
process.on("SIGTERM", async () => {
  ending = true
  await sleep(DRAIN)
  server.close(() => process.exit(0))
})
