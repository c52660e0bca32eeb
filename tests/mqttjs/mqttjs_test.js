// MQTT.js against a cluster of three holdfastd, in MQTT 3.1.1 and 5.0: node mqttjs_test.js HOLDFASTD
'use strict';
const assert = require('node:assert');
const crypto = require('node:crypto');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { test, before, after } = require('node:test');
const mqtt = require('mqtt');

const holdfastd = process.argv[2];
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hf-mqttjs-'));
const users = path.join(folder, 'users.json');
fs.writeFileSync(users, '{"access": {"users": [{"name": "ann", "password": "secret"}]}}');
const nodes = [];
const clients = new Set();

async function freePorts(count) {
  const servers = [];
  for (let i = 0; i < count; ++i) {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    servers.push(server);
  }
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

function start(node) {
  const members = nodes.flatMap((n) => ['--member', `id=${n.id},name=n${n.id},zone=z${n.id},address=127.0.0.1:${n.peerPort}`]);
  const log = fs.openSync(path.join(folder, `n${node.id}.log`), 'a');
  node.process = spawn(holdfastd, ['--config', users, '--node-id', node.id, '--bind', '127.0.0.1', '--port', node.port, '--peer-bind', '127.0.0.1',
    '--peer-port', node.peerPort, '--admin-port', 0, '--data-dir', path.join(folder, `n${node.id}`), ...members], { stdio: ['ignore', log, log] });
}

// A client that is connected; what it receives is kept in `got` from before the CONNECT.
async function connect(node, options) {
  const client = mqtt.connect({ host: '127.0.0.1', port: nodes[node].port, reconnectPeriod: 0, connectTimeout: 15000, ...options });
  client.got = [];
  client.on('error', (error) => { client.failure = error; });
  client.on('message', (topic, payload, packet) => client.got.push({ topic, text: payload.toString(), packet }));
  clients.add(client);
  const first = await Promise.race([once(client, 'connect'), once(client, 'close').then(() => null)]);
  if (first === null) throw client.failure ?? new Error('closed before CONNACK');
  client.connack = first[0];
  return client;
}

async function eventually(what, condition, patience = 15000) {
  for (const end = Date.now() + patience; Date.now() < end;) {
    if (condition()) return;
    await new Promise((done) => setTimeout(done, 20));
  }
  assert.fail(`in vain: ${what}`);
}

async function connectPatiently(node, options) {
  for (const end = Date.now() + 20000;;) {
    try {
      return await connect(node, options);
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((done) => setTimeout(done, 100));
    }
  }
}

before(async () => {
  const ports = await freePorts(6);
  for (let i = 0; i < 3; ++i) nodes.push({ id: i + 1, port: ports[2 * i], peerPort: ports[2 * i + 1] });
  nodes.forEach(start);
  for (let i = 0; i < 3; ++i) await (await connectPatiently(i, { clientId: `first-${i}` })).endAsync();
});

after(async () => {
  for (const client of clients) client.end(true);
  for (const node of nodes) {
    node.process.kill('SIGTERM');
    const [status] = node.process.exitCode === null ? await once(node.process, 'exit') : [node.process.exitCode];
    assert.strictEqual(status, 0, `n${node.id} ended with ${status}`);
  }
  fs.rmSync(folder, { recursive: true });
});

for (const protocolVersion of [4, 5]) {
  const v5 = protocolVersion === 5;
  const name = v5 ? '5.0' : '3.1.1';
  const lasting = v5 ? { clean: false, properties: { sessionExpiryInterval: 300 } } : { clean: false };

  test(`${name}: publishes cross nodes at every QoS, in order`, async () => {
    const subscriber = await connect(0, { clientId: `sub${name}`, protocolVersion });
    const publisher = await connect(1, { clientId: `pub${name}`, protocolVersion });
    for (const qos of [0, 1, 2]) {
      const [granted] = await subscriber.subscribeAsync(`cross/${name}/${qos}/#`, { qos });
      assert.strictEqual(granted.qos, qos);
      const wanted = [];
      for (let i = 0; i < 50; ++i) {
        wanted.push(`${qos}-${i}`);
        if (i % 2 === 0) publisher.publish(`cross/${name}/${qos}/t`, `${qos}-${i}`, { qos });
        else await publisher.publishAsync(`cross/${name}/${qos}/t`, `${qos}-${i}`, { qos });
      }
      await eventually(`50 messages of QoS ${qos}`, () => subscriber.got.filter((m) => m.packet.qos === qos).length >= 50);
      assert.deepStrictEqual(subscriber.got.filter((m) => m.packet.qos === qos).map((m) => m.text), wanted);
    }
    await subscriber.endAsync();
    await publisher.endAsync();
  });

  test(`${name}: a persistent session resumes on another node`, async () => {
    const options = { clientId: `wander${name}`, protocolVersion, ...lasting };
    const first = await connect(0, options);
    assert.strictEqual(first.connack.sessionPresent, false);
    await first.subscribeAsync(`wander/${name}/#`, { qos: 2 });
    await first.endAsync();
    const publisher = await connect(1, { clientId: `wpub${name}`, protocolVersion });
    for (let i = 0; i < 20; ++i) {
      await publisher.publishAsync(`wander/${name}/1`, `one-${i}`, { qos: 1 });
      await publisher.publishAsync(`wander/${name}/2`, `two-${i}`, { qos: 2 });
    }
    const second = await connect(2, options);
    assert.strictEqual(second.connack.sessionPresent, true);
    await eventually('40 messages', () => second.got.length >= 40);
    const numbers = [...Array(20).keys()];
    assert.deepStrictEqual(second.got.filter((m) => m.packet.qos === 1).map((m) => m.text), numbers.map((i) => `one-${i}`));
    assert.deepStrictEqual(second.got.filter((m) => m.packet.qos === 2).map((m) => m.text), numbers.map((i) => `two-${i}`));
    await second.endAsync();
    await publisher.endAsync();
  });

  test(`${name}: a will reaches another node when its client is cut off, and not when it leaves`, async () => {
    const watcher = await connect(0, { clientId: `watch${name}`, protocolVersion });
    await watcher.subscribeAsync(`will/${name}/#`, { qos: 1 });
    const polite = await connect(1, { clientId: `polite${name}`, protocolVersion, will: { topic: `will/${name}/polite`, payload: 'no', qos: 1 } });
    await polite.endAsync();
    const rude = await connect(1, { clientId: `rude${name}`, protocolVersion, will: { topic: `will/${name}/rude`, payload: 'gone', qos: 1 } });
    rude.stream.destroy();
    await eventually('the will', () => watcher.got.length >= 1);
    await new Promise((done) => setTimeout(done, 300));
    assert.deepStrictEqual(watcher.got.map((m) => m.text), ['gone']);
    await watcher.endAsync();
  });

  test(`${name}: a retained message is read on another node, and gone after an empty one`, async () => {
    const publisher = await connect(0, { clientId: `keep${name}`, protocolVersion });
    await publisher.publishAsync(`kept/${name}/t`, 'last', { qos: 1, retain: true });
    const reader = await connect(1, { clientId: `read${name}`, protocolVersion });
    await reader.subscribeAsync(`kept/${name}/+`, { qos: 1 });
    await eventually('the retained message', () => reader.got.length >= 1);
    assert.deepStrictEqual(reader.got.map((m) => [m.text, m.packet.retain]), [['last', true]]);
    await publisher.publishAsync(`kept/${name}/t`, '', { qos: 1, retain: true });
    await reader.endAsync();
    const late = await connect(2, { clientId: `late${name}`, protocolVersion });
    await late.subscribeAsync(`kept/${name}/+`, { qos: 1 });
    await new Promise((done) => setTimeout(done, 500));
    assert.deepStrictEqual(late.got, []);
    await late.endAsync();
    await publisher.endAsync();
  });

  test(`${name}: the later connection wins`, async () => {
    const older = await connect(0, { clientId: `same${name}`, protocolVersion });
    const ended = once(older, 'close');
    const newer = await connect(1, { clientId: `same${name}`, protocolVersion });
    await ended;
    await newer.publishAsync('same/t', 'still here', { qos: 1 });
    await newer.endAsync();
  });
}

test('5.0: properties arrive untouched', async () => {
  const subscriber = await connect(2, { clientId: 'props-sub', protocolVersion: 5 });
  const publisher = await connect(0, { clientId: 'props-pub', protocolVersion: 5 });
  await subscriber.subscribeAsync('props/#', { qos: 1, properties: { subscriptionIdentifier: 42 } });
  const properties = { payloadFormatIndicator: true, contentType: 'text/plain', responseTopic: 'answer/here',
    correlationData: Buffer.from([0, 255]), userProperties: { a: ['1', '3'], b: '2' } };
  await publisher.publishAsync('props/t', 'x', { qos: 1, properties });
  await eventually('the message', () => subscriber.got.length === 1);
  const got = subscriber.got[0].packet.properties;
  for (const [key, value] of Object.entries(properties)) assert.deepEqual(got[key], value, key);
  assert.deepEqual([got.subscriptionIdentifier].flat(), [42]);
  await subscriber.endAsync();
  await publisher.endAsync();
});

// SCRAM-SHA-256 by node's own crypto; `client.trusted` tells whether the server knew the password too.
async function connectByScram(node, password) {
  const bare = `n=ann,r=${crypto.randomBytes(12).toString('base64')}`;
  const hmac = (key, text) => crypto.createHmac('sha256', key).update(text).digest();
  let serverSignature;
  const client = mqtt.connect({ host: '127.0.0.1', port: nodes[node].port, reconnectPeriod: 0, protocolVersion: 5, clientId: 'scram',
    properties: { authenticationMethod: 'SCRAM-SHA-256', authenticationData: Buffer.from(`n,,${bare}`) } });
  clients.add(client);
  client.on('error', () => {});
  client.handleAuth = (packet, done) => {
    const first = packet.properties.authenticationData.toString();
    const [, nonce, salt, rounds] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(first);
    const salted = crypto.pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(rounds), 32, 'sha256');
    const clientKey = hmac(salted, 'Client Key');
    const withoutProof = `c=biws,r=${nonce}`;
    const said = `${bare},${first},${withoutProof}`;
    const signature = hmac(crypto.createHash('sha256').update(clientKey).digest(), said);
    const proof = Buffer.from(clientKey.map((byte, i) => byte ^ signature[i]));
    serverSignature = hmac(hmac(salted, 'Server Key'), said).toString('base64');
    done(null, { cmd: 'auth', reasonCode: 0x18, properties: { authenticationMethod: 'SCRAM-SHA-256',
      authenticationData: Buffer.from(`${withoutProof},p=${proof.toString('base64')}`) } });
  };
  const connack = await new Promise((done) => client.on('packetreceive', (packet) => { if (packet.cmd === 'connack') done(packet); }));
  client.connack = connack;
  client.trusted = connack.properties?.authenticationData?.toString() === `v=${serverSignature}`;
  return client;
}

test('5.0: SCRAM-SHA-256', async () => {
  const ann = await connectByScram(2, 'secret');
  assert.strictEqual(ann.connack.reasonCode, 0);
  assert.ok(ann.trusted);
  await ann.publishAsync('scram/t', 'x', { qos: 1 });
  await ann.endAsync();
  const eve = await connectByScram(0, 'hidden');
  assert.strictEqual(eve.connack.reasonCode, 0x87);
  eve.end(true);
});

test('5.0: what matches nobody is said', async () => {
  const publisher = await connect(1, { clientId: 'nobody', protocolVersion: 5 });
  const answers = [];
  publisher.on('packetreceive', (packet) => { if (packet.cmd === 'puback') answers.push(packet.reasonCode); });
  await publisher.publishAsync('nobody/listens', 'x', { qos: 1 });
  assert.deepStrictEqual(answers, [0x10]);
  await publisher.endAsync();
});
