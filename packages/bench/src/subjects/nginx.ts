import { execFile } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { readFileLimit, withChildren } from '../cpu.ts'
import { launch } from '../launch.ts'
import { freePort, listening } from './listening.ts'
import type { Subject } from './subject.ts'

/** The floor: a proxy in C, one worker, nothing buffered, no log. */
export const nginx: Subject = {
  name: 'nginx',
  async start({ upstreamPort, folder: parent }) {
    const folder = mkdtempSync(join(parent, 'nginx-'))
    const config = join(folder, 'nginx.conf')
    const port = await freePort()
    writeFileSync(config, toConfig(port, upstreamPort))
    const launched = await launch('nginx', ['-p', folder, '-c', config, '-e', join(folder, 'error.log')], {
      stdio: 'ignore',
      signal: 'SIGTERM', // so that it ends its worker too
    }).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT' ? new Error('it is not installed') : error
    })
    try {
      await listening(port, launched)
    } catch (error) {
      await launched.stop()
      throw error
    }
    return {
      target: { port, model: 'grain', headers: {} },
      pids: withChildren(launched.pid),
      version: await readVersion(),
      stop: launched.stop,
    }
  },
}

async function readVersion(): Promise<string> {
  const { stderr } = await promisify(execFile)('nginx', ['-v'])
  return stderr.trim().replace(/^.*\//, '')
}

/** As root it would give its worker to somebody who may not read the folder. */
const USER = process.getuid?.() === 0 ? 'user root;' : ''

/** More than can be open: when they run short, nginx closes some that wait for their request. */
const CONNECTIONS = 65_536

const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']

const toConfig = (port: number, upstreamPort: number): string => `
${USER}
daemon off;
worker_processes 1;
worker_rlimit_nofile ${readFileLimit()};
pid nginx.pid;
error_log error.log;
events { worker_connections ${CONNECTIONS}; }
http {
  ${TEMPORARY.map(name => `${name}_temp_path ${name};`).join('\n  ')}
  access_log off;
  keepalive_requests 1000000;
  client_max_body_size 0;
  upstream bench {
    server 127.0.0.1:${upstreamPort};
    keepalive 1024;
    keepalive_requests 1000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://bench;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_request_buffering off;
    }
  }
}
`
