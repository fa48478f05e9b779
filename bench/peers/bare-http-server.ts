import { createServer } from 'node:http';

/** What `node:http` costs without any work: reads each request's body, keeps nothing, answers 200. The port is its argument. */
const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
  request.resume();
  request.once('end', () => response.end('ok'));
});
server.listen(Number(process.argv[2]), '127.0.0.1');
