// MQTT.js over TCP, TLS, WebSocket and secure WebSocket against one holdfastd: node transports_test.js HOLDFASTD
'use strict';
const assert = require('node:assert');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { execFileSync, spawn } = require('node:child_process');
const { once } = require('node:events');
const { test, before, after } = require('node:test');
const mqtt = require('mqtt');

const holdfastd = process.argv[2];
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hf-mqttjs-transports-'));
const ports = {};
let node;
let ca;

async function freePorts(names) {
  const servers = names.map(() => net.createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  names.forEach((name, i) => { ports[name] = servers[i].address().port; });
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
}

const schemes = {
  mqtt: () => `mqtt://127.0.0.1:${ports.mqtt}`,
  mqtts: () => `mqtts://127.0.0.1:${ports.mqtts}`,
  ws: () => `ws://127.0.0.1:${ports.ws}/mqtt`,
  wss: () => `wss://127.0.0.1:${ports.wss}/mqtt`,
};

async function connect(scheme, options) {
  const client = mqtt.connect(schemes[scheme](), { reconnectPeriod: 0, connectTimeout: 15000, ca, ...options });
  client.got = [];
  client.on('error', (error) => { client.failure = error; });
  client.on('message', (topic, payload) => client.got.push(payload.toString()));
  const first = await Promise.race([once(client, 'connect'), once(client, 'close').then(() => null)]);
  if (first === null) throw client.failure ?? new Error('closed before CONNACK');
  return client;
}

async function eventually(what, condition) {
  for (const end = Date.now() + 15000; Date.now() < end;) {
    if (condition()) return;
    await new Promise((done) => setTimeout(done, 20));
  }
  assert.fail(`in vain: ${what}`);
}

before(async () => {
  const key = path.join(folder, 'key.pem');
  const certificate = path.join(folder, 'certificate.pem');
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
    '-subj', '/CN=holdfastd', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', certificate], { stdio: 'ignore' });
  ca = fs.readFileSync(certificate);
  await freePorts(['mqtt', 'mqtts', 'ws', 'wss', 'peers']);
  const config = path.join(folder, 'node.json');
  fs.writeFileSync(config, JSON.stringify({
    listen: { bind: '127.0.0.1', peer_bind: '127.0.0.1', peer_port: ports.peers },
    storage: { data_dir: path.join(folder, 'data') },
    listeners: [
      { name: 'mqtt', port: ports.mqtt },
      { name: 'mqtts', port: ports.mqtts, tls: { certificate, key } },
      { name: 'ws', port: ports.ws, protocol: 'websocket' },
      { name: 'wss', port: ports.wss, protocol: 'websocket', tls: { certificate, key } },
    ],
  }));
  const log = fs.openSync(path.join(folder, 'log'), 'a');
  node = spawn(holdfastd, ['--config', config], { stdio: ['ignore', log, log] });
  for (const end = Date.now() + 20000;;) {
    try {
      await (await connect('mqtt', { clientId: 'first' })).endAsync();
      break;
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((done) => setTimeout(done, 100));
    }
  }
});

after(async () => {
  node.kill('SIGTERM');
  const [status] = node.exitCode === null ? await once(node, 'exit') : [node.exitCode];
  assert.strictEqual(status, 0);
  fs.rmSync(folder, { recursive: true });
});

for (const protocolVersion of [4, 5]) {
  test(`${protocolVersion === 5 ? '5.0' : '3.1.1'}: what one transport says arrives on all`, async () => {
    const names = Object.keys(schemes);
    const clients = [];
    for (const name of names) clients.push(await connect(name, { clientId: `${name}-${protocolVersion}`, protocolVersion }));
    for (const client of clients) await client.subscribeAsync(`all/${protocolVersion}`, { qos: 2 });
    const large = 'l'.repeat(200000);
    for (const [i, client] of clients.entries()) {
      for (const qos of [0, 1, 2]) await client.publishAsync(`all/${protocolVersion}`, `${names[i]} ${qos}`, { qos });
      await client.publishAsync(`all/${protocolVersion}`, `${names[i]} ${large}`, { qos: 1 });
    }
    const expected = names.flatMap((name) => [`${name} 0`, `${name} 1`, `${name} 2`, `${name} ${large}`]);
    for (const [i, client] of clients.entries()) {
      await eventually(`${expected.length} messages over ${names[i]}`, () => client.got.length >= expected.length);
      assert.deepStrictEqual([...client.got].sort(), [...expected].sort());
    }
    for (const client of clients) await client.endAsync();
  });
}

test('a WebSocket elsewhere than at the path is refused', async () => {
  await assert.rejects(async () => {
    const client = mqtt.connect(`ws://127.0.0.1:${ports.ws}/other`, { reconnectPeriod: 0, connectTimeout: 5000 });
    let failure = new Error('closed');
    client.on('error', (error) => { failure = error; });
    const first = await Promise.race([once(client, 'connect'), once(client, 'close').then(() => null)]);
    client.end(true);
    if (first === null) throw failure;
  });
});
