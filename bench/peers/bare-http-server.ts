import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';

/*
 * What `node:http` costs without any work: reads each request's body, keeps nothing, answers 200. Arguments: the port and,
 * for `node:https`, the files of certificate and key.
 */

const [port, certificateFile, keyFile] = process.argv.slice(2);
const answer: RequestListener = (request, response) => {
  request.resume();
  request.once('end', () => response.end('ok'));
};
const server =
  certificateFile === undefined || keyFile === undefined
    ? createServer({ keepAliveTimeout: 0 }, answer)
    : createSecureServer(
        { keepAliveTimeout: 0, cert: readFileSync(certificateFile), key: readFileSync(keyFile) },
        answer,
      );
server.listen(Number(port), '127.0.0.1');
