--TEST--
After an exception of a method that ends the response, the response is as it was and can be answered
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    $fails = function (callable $call): string {
        try {
            return 'it returned ' . json_encode($call());
        } catch (Ferrite\Exception $e) {
            return $e->getMessage();
        }
    };
    $large = str_repeat('a', 300_000);
    switch ($request->server['request_uri']) {
        case '/head':
            $response->header('X-Large', $large);
            $message = $fails(fn () => $response->end('x'));
            $response->header('X-Large', null);
            break;
        case '/trailers':
            $response->trailer('X-Large', $large);
            $message = $fails(fn () => $response->end('x'));
            $response->trailer('X-Large', 'small');
            break;
        case '/trailers-after-write':
            $response->write("written\n");
            $response->trailer('X-Large', $large);
            $message = $fails(fn () => $response->end('x'));
            $response->trailer('X-Large', 'small');
            break;
        case '/trailers-of-a-file':
            $response->trailer('X-Large', $large);
            $message = $fails(fn () => $response->sendfile(__FILE__));
            $response->trailer('X-Large', 'small');
            break;
        case '/redirect':
            $response->status(404, 'Gone away');
            $response->header('Location', '/former');
            $response->header('Content-Length', '5');
            $message = $fails(fn () => $response->redirect('/new', 301));
            $response->header('Content-Length', null);
            $message .= ' ' . json_encode([$response->getStatusCode(), $response->header]);
            break;
    }
    $open = json_encode($response->isWritable());
    $ended = $response->end("$message; open: $open\n");
    file_put_contents(place('ended'), json_encode($ended) . "\n", FILE_APPEND);
    CODE);

foreach (['head', 'trailers', 'trailers-after-write', 'trailers-of-a-file', 'redirect'] as $path) {
    echo "-- $path\n";
    show($server->get("/$path"));
}
// The handler writes its last line after the client has the response.
wait_until(fn () => substr_count(file_get_contents($server->place('ended')), "\n") === 5, 'end() has returned five times');
echo file_get_contents($server->place('ended'));
?>
--EXPECT--
-- head
200 OK
Content-Type: text/html; charset=UTF-8
Content-Length: 86
the fields of the response have 300043 bytes; at most 262144 are possible; open: true
-- trailers
200 OK
Content-Type: text/html; charset=UTF-8
Transfer-Encoding: chunked
the fields of the response have 300007 bytes; at most 262144 are possible; open: true
-- trailers-after-write
200 OK
Content-Type: text/html; charset=UTF-8
Transfer-Encoding: chunked
written
the fields of the response have 300007 bytes; at most 262144 are possible; open: true
-- trailers-of-a-file
200 OK
Content-Type: text/html; charset=UTF-8
Transfer-Encoding: chunked
the fields of the response have 300007 bytes; at most 262144 are possible; open: true
-- redirect
404 Gone away
Location: /former
Content-Type: text/html; charset=UTF-8
Content-Length: 93
Content-Length says 5, but the content has 0 bytes [404,{"Location":"\/former"}]; open: true
true
true
true
true
true
