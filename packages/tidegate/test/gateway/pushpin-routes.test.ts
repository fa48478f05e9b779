import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import { importPushpinRoutes, routeSchema, upstreamSchema } from '../../src/gateway/options.ts';

const ajv = new Ajv({ allErrors: true, allowUnionTypes: true });
const isRoute = ajv.compile(routeSchema);
const isUpstream = ajv.compile(upstreamSchema);

/** What a file with one line comes to. */
function imported(text: string) {
  const { routes, leftOut } = importPushpinRoutes(text);
  assert.deepEqual(leftOut, []);
  assert.equal(routes.length, 1);
  const [route] = routes;
  assert.ok(isRoute(route.route), JSON.stringify(isRoute.errors));
  assert.ok(isUpstream(route.upstream), JSON.stringify(isUpstream.errors));
  return route;
}

test('a host and a target are a route and an upstream', () => {
  const { name, route, upstream, notes } = imported('\n# all\n* localhost:8000 # here\n');
  assert.equal(name, 'line-3');
  assert.deepEqual(route, { match: { path: '/*' }, upstream: 'line-3', grip: {} });
  assert.deepEqual(upstream, { targets: [{ url: 'http://localhost:8000' }] });
  assert.deepEqual(notes, []);
});

test('conditions are taken over', () => {
  const { name, route } = imported(
    'example.com,id=chat,proto=ws,ssl=yes,path_beg=/chat/,sig_iss=realm,sig_key="a b,c",prefix=p- 10.0.0.1:80',
  );
  assert.equal(name, 'chat');
  assert.deepEqual(route, {
    match: { host: 'example.com', path: '/chat/*', scheme: 'https', upgrade: 'websocket' },
    upstream: 'chat',
    grip: { key: 'a b,c', issuer: 'realm', prefix: 'p-' },
  });
});

test('headers are set, and removed where they have no value', () => {
  const { route } = imported('*,header="X-A: b, \\"c\\" \\\\d",header=X-E:,no_grip h:1');
  assert.deepEqual(route.headers, { request: { set: { 'X-A': 'b, "c" \\d' }, remove: ['X-E'] } });
  assert.equal(route.grip, undefined);
});

test('paths change by whole segments', () => {
  const rewrite = (properties: string) => imported(`*,${properties} h:1`).route.rewrite;
  assert.deepEqual(rewrite('path_beg=/a/,path_rem=2'), { stripPrefix: '/a' });
  assert.deepEqual(rewrite('path_beg=/a/b/,path_rem=2'), { stripPrefix: '/a' });
  assert.deepEqual(rewrite('path_beg=/a/,replace_beg=/v2/'), { stripPrefix: '/a', addPrefix: '/v2' });
  assert.deepEqual(rewrite('path_beg=/a/,replace_beg=/'), { stripPrefix: '/a' });
  assert.deepEqual(rewrite('replace_beg=/v2/'), { addPrefix: '/v2' });
  for (const odd of ['path_beg=/ab/,path_rem=2', 'path_rem=5', 'path_beg=/a/,replace_beg=v2']) {
    const { route, notes } = imported(`*,${odd} h:1`);
    assert.equal(route.rewrite, undefined, odd);
    assert.match(notes.join(), /does not change whole segments/, odd);
  }
});

test('a beginning that is not a whole segment is told to match less', () => {
  const { route, notes } = imported('*,path_beg=/a h:1');
  assert.equal(route.match?.path, '/a/*');
  assert.deepEqual(notes, ['path_beg=/a has become /a/*, which does not match /ax.']);
});

test('targets are taken over with their TLS, their hosts and their trust', () => {
  const { upstream, route } = imported('*,as_host=api.example [::1]:443,ssl,insecure,untrusted');
  assert.deepEqual(upstream, {
    targets: [{ url: 'https://[::1]:443' }],
    host: 'api.example',
    tls: { verify: false, serverName: 'api.example' },
    addresses: 'public',
  });
  assert.deepEqual(route.grip, {});
  const other = imported('*,as_host=a.example h:443,ssl,host=b.example,trust_connect_host').upstream;
  assert.deepEqual(other, { targets: [{ url: 'https://h:443' }], host: 'b.example' });
});

test('several targets take turns, and the next is asked if one cannot be reached', () => {
  const { upstream, route, notes } = imported('* a:1 b:2,insecure c:3,untrusted');
  assert.deepEqual(upstream.targets, [{ url: 'http://a:1' }, { url: 'http://b:2' }, { url: 'http://c:3' }]);
  assert.equal(upstream.addresses, 'public');
  assert.equal(upstream.tls, undefined);
  assert.deepEqual(route.retry, { attempts: 3, on: ['connect'] });
  assert.equal(notes.length, 3);
});

test('WebSockets go over HTTP where the targets say so', () => {
  const { route, notes } = imported('* a:1,over_http');
  assert.deepEqual(route.grip, { websocket: 'over_http' });
  assert.deepEqual(notes, []);
  const some = imported('* a:1,over_http b:2');
  assert.deepEqual(some.route.grip, { websocket: 'over_http' });
  assert.match(some.notes.join(), /Not all targets have over_http: WebSockets go over HTTP to all/);
  const none = imported('*,no_grip a:1,over_http');
  assert.equal(none.route.grip, undefined);
  assert.match(none.notes.join(), /which no_grip turns off/);
});

test('aco is CORS and JSON-P, as the line says', () => {
  assert.deepEqual(imported('*,aco h:1').route.crossOrigin, { jsonp: {} });
  const { route, notes } = imported(
    '*,aco,jsonp_mode=basic,jsonp_cb=jsoncallback,jsonp_body=q,jsonp_defcb=app.done,jsonp_defmethod=PUT h:1',
  );
  assert.deepEqual(route.crossOrigin, {
    jsonp: {
      mode: 'basic',
      callback: 'jsoncallback',
      body: 'q',
      defaultCallback: 'app.done',
      defaultMethod: 'PUT',
    },
  });
  assert.deepEqual(notes, []);
  const without = imported('*,jsonp_mode=basic h:1');
  assert.equal(without.route.crossOrigin, undefined);
  assert.deepEqual(without.notes, ['jsonp_mode has no effect without aco, and is left out.']);
});

test('SockJS is taken over with its path at the origin, which changes as Pushpin changes it', () => {
  const { route, notes } = imported('*,sockjs=/chat/,sockjs_as_path=/ws h:1,over_http');
  assert.deepEqual(route.sockjs, { path: '/chat', originPath: '/ws' });
  assert.deepEqual(notes, []);
  const originPath = (properties: string) => imported(`*,${properties} h:1`).route.sockjs?.originPath;
  assert.equal(originPath('path_beg=/a/,path_rem=2,sockjs=/a/s,sockjs_as_path=/a/ws'), '/ws');
  assert.equal(originPath('path_beg=/a/,replace_beg=/v2/,sockjs=/a/s,sockjs_as_path=/a/ws'), '/v2/ws');
  assert.equal(originPath('path_beg=/a/,path_rem=3,sockjs=/a/s,sockjs_as_path=/a/ws'), '/ws');
  const without = imported('*,path_beg=/a/,sockjs=/a/s h:1');
  assert.deepEqual(without.route.sockjs, { path: '/a/s' });
  assert.match(without.notes.join(), /reach the origin at \/a\/s\/websocket/);
  for (const [properties, note] of [
    ['sockjs=/', /nothing to other requests/],
    ['path_beg=/a/,sockjs=/b', /is not below path_beg/],
    ['sockjs_as_path=/ws', /no effect without sockjs/],
  ] as const) {
    const left = imported(`*,${properties} h:1`);
    assert.equal(left.route.sockjs, undefined, properties);
    assert.match(left.notes.join(), note);
  }
});

test('the channels of targets are those of the route', () => {
  assert.deepEqual(imported('* h:1,sub=news,sub=more,sub=,sub=news').route.grip, {
    channels: ['news', 'more'],
  });
  const { route, notes } = imported('* h:1,sub=news g:1,sub=more');
  assert.deepEqual(route.grip, { channels: ['news', 'more'] });
  assert.match(notes.join(), /Not all targets have the same sub/);
  const none = imported('*,no_grip h:1,sub=news');
  assert.equal(none.route.grip, undefined);
  assert.deepEqual(none.notes, ['sub is a part of GRIP here, which no_grip turns off, and is left out.']);
});

test('what has no counterpart is told, and what cannot be is left out with a reason', () => {
  const { notes } = imported('*,debug,colour=blue h:1,one_event');
  assert.deepEqual(notes, [
    'debug has no counterpart in a route, and is left out.',
    'colour is not known, and is left out.',
    'one_event has no counterpart in a route, and is left out.',
  ]);
  const { routes, leftOut } = importPushpinRoutes(
    '* a:1\n* b:1\nx.example test\ny.example zhttp/tcp://h:1\nid=only h:1\n*,id="a b",ssl=no h:1\n',
  );
  assert.deepEqual(
    leftOut.map(({ line }) => line),
    [2, 3, 4, 5],
  );
  assert.equal(leftOut[0].reason, 'It matches the same requests as line-1.');
  assert.deepEqual(
    routes.map(({ name }) => name),
    ['line-1', 'line-6'],
  );
  assert.match(routes[1].notes.join(), /The id "a b" cannot be a name/);
});

test('what is wrong is refused with its line', () => {
  for (const [text, what] of [
    ['*', /^Line 1: there is no target\.$/],
    ['* h:1\n* h', /^Line 2: h is not host:port\.$/],
    ['* h:0', /0 is not a port/],
    ['* h:70000', /70000 is not a port/],
    ['*, h:1', /a property has no name/],
    ['*,=x h:1', /a property has no name/],
    ['"a h:1', /a quote is not closed/],
    ['*,header="a\\n" h:1', /a backslash stands before/],
    ['*.example.com h:1', /is neither a host nor \*/],
    ['*,proto=ftp h:1', /proto is http or ws/],
    ['*,ssl h:1', /ssl is yes or no/],
    ['*,path_beg=a h:1', /path_beg is not the beginning of a path/],
    ['*,path_rem=x h:1', /path_rem is a number/],
    ['*,header=x h:1', /header is name:value/],
    ['*,id=a h:1\nb,id=a h:1', /^Line 2: the id "a" is there twice\.$/],
    ['* h:1 h:1', /there twice/],
    ['*,aco,jsonp_mode=full h:1', /jsonp_mode is basic or extended/],
    ['*,aco,jsonp_cb=a&b h:1', /jsonp_cb is not the name of a query parameter/],
    ['*,aco,"jsonp_body=a b" h:1', /jsonp_body is not the name of a query parameter/],
    ['*,aco,jsonp_defcb=a( h:1', /"a\(" is not the name of a function/],
    ['*,aco,jsonp_defmethod=get h:1', /jsonp_defmethod is not a method/],
    ['*,sockjs=chat h:1', /sockjs is not a path/],
    ['*,sockjs=/chat,sockjs_as_path=/a?b h:1', /sockjs_as_path is not a path/],
  ] as const)
    assert.throws(
      () => importPushpinRoutes(text),
      (error: { code: string; detail: string }) =>
        error.code === 'routes_file_invalid' && what.test(error.detail),
      text,
    );
});

test('session becomes that of GRIP', () => {
  const [{ route, notes }] = importPushpinRoutes('*,session localhost:80').routes;
  assert.deepEqual([route.grip, notes], [{ session: true }, []]);
});
