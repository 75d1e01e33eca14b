// The real stack of one test file: redis-server, nginx with the module, and a
// page root, all in a temporary directory, all ended by their own pid.

import { execFileSync, spawn } from 'node:child_process';
import http from 'node:http';
import { connect, createServer } from 'node:net';
import {
  chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync,
  readdirSync, rmSync, writeFileSync
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

export const top = resolve(here, '../../..');
export const build = resolve(process.env.CX_BUILD || join(top, 'build'));
export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

export async function until(what, test, ms = 8000) {
  const end = Date.now() + ms;

  for (;;) {
    const value = await test();

    if (value) {
      return value;
    }

    if (Date.now() > end) {
      throw new Error(`waited ${ms} ms in vain for ${what}`);
    }

    await sleep(40);
  }
}

function freePort() {
  return new Promise((done) => {
    const server = createServer();

    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();

      server.close(() => done(port));
    });
  });
}

const environment = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };

// a module with AddressSanitizer wants its library first in nginx
const preload = process.env.CX_PRELOAD || process.env.CX_ASAN
  && execFileSync('gcc', ['-print-file-name=libasan.so'], { encoding: 'utf8' })
    .trim();
const sanitized = preload ? { ...environment, LD_PRELOAD: preload,
  ASAN_OPTIONS: 'detect_leaks=0', UBSAN_OPTIONS: 'print_stacktrace=1' }
  : environment;

// what is still running when this process ends, or is ended
const running = new Set();

process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));
['SIGTERM', 'SIGINT'].forEach((signal) =>
  process.once(signal, () => process.exit(1)));

function run(command, args, options = {}) {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'], env: environment, ...options
  });

  running.add(child);
  child.text = '';
  child.stdout.on('data', (data) => { child.text += data; });
  child.stderr.on('data', (data) => { child.text += data; });
  child.ended = new Promise((done) => {
    child.on('error', (e) => { child.text += e; done(); });
    child.on('exit', () => { running.delete(child); done(); });
  });
  return child;
}

async function end(child, signal = 'SIGTERM') {
  if (!child || child.exitCode != null || child.signalCode) {
    return;
  }

  child.kill(signal);
  await Promise.race([child.ended, sleep(5000)]);

  if (child.exitCode == null && !child.signalCode) {
    child.kill('SIGKILL');
    await child.ended;
  }
}

// One reply of RESP from text at offset: [value, next offset], or undefined
// while it is not complete.
function reply(buffer, at) {
  const stop = buffer.indexOf('\r\n', at);

  if (stop < 0) {
    return undefined;
  }

  const kind = String.fromCharCode(buffer[at]);
  const head = buffer.toString('utf8', at + 1, stop);
  let next = stop + 2;

  if (kind === '$') {
    const size = Number(head);

    if (size < 0) {
      return [null, next];
    }

    return buffer.length < next + size + 2 ? undefined
      : [buffer.toString('utf8', next, next + size), next + size + 2];
  }

  if (kind === '*') {
    const list = [];

    for (let i = 0; i < Number(head); i++) {
      const item = reply(buffer, next);

      if (!item) {
        return undefined;
      }

      list.push(item[0]);
      next = item[1];
    }

    return [list, next];
  }

  return [kind === '-' ? new Error(head) : head, next];
}

export function redis(path, ...args) {
  return new Promise((done, fail) => {
    let got = Buffer.alloc(0);
    const socket = connect(path);

    socket.on('error', fail);
    socket.on('data', (data) => {
      got = Buffer.concat([got, data]);
      const value = reply(got, 0);

      if (value) {
        socket.destroy();
        value[0] instanceof Error ? fail(value[0]) : done(value[0]);
      }
    });
    socket.write(`*${args.length}\r\n` + args.map((arg) =>
      `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`).join(''));
  });
}

/*
 * pages       {"/a.html": html}: further files of the page root, beside
 *             t/js/pages
 * surveys     the surveys file, an object
 * thresholds  text of the thresholds file
 * server      more lines of nginx's server block
 *
 * Beside the pages, /late answers 204 after 2 s, and /hang after 20.
 */
export class Stack {
  static async start({ pages = {}, surveys, thresholds, server = '' } = {}) {
    const stack = new Stack();

    stack.dir = mkdtempSync(join(tmpdir(), 'cx-js-'));
    chmodSync(stack.dir, 0o755);
    stack.socket = join(stack.dir, 'redis.sock');
    stack.port = await freePort();
    await stack.originUp();
    stack.url = `http://127.0.0.1:${stack.port}`;
    stack.root = join(stack.dir, 'html');
    ['html', 'tmp', 'logs'].forEach((d) => mkdirSync(join(stack.dir, d)));

    for (const name of readdirSync(join(here, '../pages'))) {
      copyFileSync(join(here, '../pages', name), join(stack.root, name));
    }

    for (const [name, html] of Object.entries(pages)) {
      writeFileSync(join(stack.root, name), html);
    }

    if (surveys) {
      writeFileSync(join(stack.dir, 'surveys.json'), JSON.stringify(surveys));
    }

    if (thresholds) {
      writeFileSync(join(stack.dir, 'thresholds'), thresholds);
    }

    try {
      await stack.redisUp();
      await stack.nginxUp(surveys, server, thresholds);
    } catch (e) {
      await stack.stop();
      throw e;
    }

    return stack;
  }

  originUp() {
    this.origin = http.createServer((request, response) => {
      setTimeout(() => response.writeHead(204).end(),
                 request.url.startsWith('/late') ? 2000 : 20000).unref();
    });

    return new Promise((done) => {
      this.origin.listen(0, '127.0.0.1', () => {
        this.latePort = this.origin.address().port;
        done();
      });
    });
  }

  async redisUp() {
    this.redis = run('redis-server', ['--port', '0', '--unixsocket',
      this.socket, '--unixsocketperm', '777', '--dir', this.dir, '--save', '',
      '--appendonly', 'no']);
    await until('redis-server', () => {
      if (this.redis.exitCode != null) {
        throw new Error(this.redis.text);
      }

      return redis(this.socket, 'PING').catch(() => null);
    });
  }

  async redisDown() {
    await end(this.redis, 'SIGKILL');
    rmSync(this.socket, { force: true });
  }

  async nginxUp(surveys, server, thresholds) {
    const module = join(build, 'ngx_http_cx_module.so');

    if (!existsSync(module)) {
      throw new Error(`${module} is not there: run make first`);
    }

    writeFileSync(join(this.dir, 'nginx.conf'), `
      ${process.getuid() === 0 ? 'user root;' : ''}
      daemon off;
      pid nginx.pid;
      error_log logs/error.log info;
      load_module ${module};
      worker_processes 1;
      events { worker_connections 256; }
      http {
        log_format posts '$request_method $uri $content_length $status';
        access_log off;
        client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp;
        uwsgi_temp_path tmp; scgi_temp_path tmp;
        types {
          text/html html; text/css css; application/javascript js;
          image/svg+xml svg;
        }
        cx_redis unix:${this.socket};
        ${thresholds ? 'cx_thresholds thresholds;' : ''}
        server {
          listen 127.0.0.1:${this.port};
          server_name site.test;
          root html;
          cx on;
          cx_visitor hash;
          ${surveys ? 'cx_surveys surveys.json;' : ''}
          location /_cx/ {
            access_log logs/posts.log posts;
            cx_endpoint;
          }
          location = /late { proxy_pass http://127.0.0.1:${this.latePort}; }
          location = /hang { proxy_pass http://127.0.0.1:${this.latePort}; }
          ${server}
        }
      }`);

    this.nginx = run('nginx', ['-p', `${this.dir}/`, '-c',
      join(this.dir, 'nginx.conf'), '-e', join(this.dir, 'logs/error.log')],
    { env: sanitized });

    await until('nginx', () => {
      if (this.nginx.exitCode != null) {
        throw new Error(this.nginx.text + this.log());
      }

      return fetch(`${this.url}/_cx/cx.js`).then((r) => r.status, () => null);
    });
  }

  log() {
    const file = join(this.dir, 'logs/error.log');

    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  // bytes of each beacon so far
  posts() {
    const file = join(this.dir, 'logs/posts.log');

    return existsSync(file)
      ? [...readFileSync(file, 'utf8').matchAll(/^POST \S+ (\d+) /gm)]
        .map((line) => Number(line[1])) : [];
  }

  // entries of the stream, oldest first, as objects
  async events(type) {
    const list = await redis(this.socket, 'XRANGE', 'cx:{site.test}:events',
      '-', '+');

    return list.map(([, pairs]) => {
      const event = {};

      for (let i = 0; i < pairs.length; i += 2) {
        event[pairs[i]] = pairs[i + 1];
      }

      return event;
    }).filter((event) => !type || event.type === type);
  }

  // waits until n events of a type, and of a page, are there: returns them
  async wait(type, n = 1, match = () => true) {
    let found;

    try {
      return await until(`${n} ${type}`, async () => {
        found = (await this.events(type)).filter(match);
        return found.length >= n && found;
      });
    } catch (e) {
      e.message += `; there is ${JSON.stringify(await this.events())}`;
      throw e;
    }
  }

  async stop() {
    await end(this.nginx, 'SIGQUIT');

    const log = this.log() + this.nginx.text;

    await end(this.redis);
    this.origin.closeAllConnections();
    this.origin.close();
    rmSync(this.dir, { recursive: true, force: true });

    if (/\[(alert|emerg|crit)\]|Sanitizer|runtime error:/.test(log)) {
      throw new Error(`nginx complained:\n${log}`);
    }
  }
}
