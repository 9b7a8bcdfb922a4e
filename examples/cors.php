<?php

// A JSON API that pages of other origins may use: Cross-Origin Resource Sharing (CORS), as the Fetch
// standard of the WHATWG has it.
//
//   php -d extension=ferrite examples/cors.php [--port PORT] [--workers N] [--origins ORIGIN,ORIGIN]
//
//   curl -i -H 'Origin: https://app.example' http://127.0.0.1:9501/notes
//   curl -i -X OPTIONS -H 'Origin: https://app.example' -H 'Access-Control-Request-Method: PUT' http://127.0.0.1:9501/notes
//
// CORS lets pages read answers. It keeps nobody out: a browser sends simple requests, such as a form's, before it
// asks, and programs that are no browsers never ask. What changes something checks who it is as anywhere.

declare(strict_types=1);

use Ferrite\Http\Request;
use Ferrite\Http\Response;
use Ferrite\Http\Server;

/** Which origins may do what. Nothing of this is taken from the request: it is only compared. */
final class Cors
{
    private const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'];
    private const REQUEST_FIELDS = ['Authorization', 'Content-Type'];
    private const EXPOSED_FIELDS = ['X-Total-Count', 'Location'];
    /** How long a browser may keep the answer to a preflight, in seconds. */
    private const MAX_AGE = 600;

    /** @param list<string> $origins scheme, host and port if it is not the scheme's, as browsers send them */
    public function __construct(private readonly array $origins) {}

    /** Adds what belongs to every answer, and answers a preflight: then it returns true. */
    public function handle(Request $request, Response $response): bool
    {
        $origin = $request->header['origin'] ?? null;
        $asked = $request->header['access-control-request-method'] ?? null;
        $isPreflight = $request->getMethod() === 'OPTIONS' && $origin !== null && $asked !== null;

        // The whole origin, byte by byte: no end of a host name, no pattern without an anchor, and never `null`, which
        // any page in a sandbox sends. Nor `*`, which browsers take with no credentials.
        $isAllowed = is_string($origin) && in_array($origin, $this->origins, true);

        // Caches keep answers for one origin apart from those for others, also the answer to who is not allowed.
        $response->header('Vary', $isPreflight
            ? 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers'
            : 'Origin');
        if ($isAllowed) {
            $response->header('Access-Control-Allow-Origin', $origin);
            $response->header('Access-Control-Allow-Credentials', 'true');
        }
        if (!$isPreflight) {
            if ($isAllowed) {
                // Scripts see these beside the few that they always see.
                $response->header('Access-Control-Expose-Headers', implode(', ', self::EXPOSED_FIELDS));
            }
            return false;
        }
        if (!$isAllowed) {
            $response->status(403);
            $response->end("This origin is not allowed.\n");
            return true;
        }
        // What is allowed, and not what was asked for: the browser compares.
        $response->header('Access-Control-Allow-Methods', implode(', ', self::METHODS));
        $response->header('Access-Control-Allow-Headers', implode(', ', self::REQUEST_FIELDS));
        $response->header('Access-Control-Max-Age', (string) self::MAX_AGE);
        $response->status(204);
        $response->end();
        return true;
    }
}

$options = getopt('', ['port:', 'workers:', 'origins:']);
$origins = explode(',', $options['origins'] ?? 'https://app.example,http://localhost:3000');
$cors = new Cors($origins);

$server = new Server('127.0.0.1', (int) ($options['port'] ?? 9501));
if (isset($options['workers'])) {
    $server->set(['worker_num' => (int) $options['workers']]);
}

$server->on('Start', function (Server $server) use ($origins) {
    echo "Notes at http://127.0.0.1:$server->port/notes, for pages of ", implode(' and ', $origins), "\n";
});

$server->on('Request', function (Request $request, Response $response) use ($cors) {
    // First of all: an error needs the fields as well, or no script can read it.
    if ($cors->handle($request, $response)) {
        return;
    }
    $response->header('Content-Type', 'application/json');
    if ($request->server['request_uri'] !== '/notes') {
        $response->status(404);
        $response->end('{"error":"There is nothing here."}');
        return;
    }
    switch ($request->getMethod()) {
        case 'GET':
        case 'HEAD':
            $response->header('X-Total-Count', '2');
            $response->end('[{"text":"milk"},{"text":"bread"}]');
            break;
        case 'POST':
        case 'PUT':
        case 'DELETE':
            $response->end(json_encode(['done' => $request->getMethod()]));
            break;
        case 'OPTIONS':
            // Without the fields of a preflight it is a method like any other.
            $response->header('Allow', 'GET, HEAD, POST, PUT, DELETE, OPTIONS');
            $response->status(204);
            $response->end();
            break;
        default:
            $response->header('Allow', 'GET, HEAD, POST, PUT, DELETE, OPTIONS');
            $response->status(405);
            $response->end('{"error":"This method is not allowed."}');
    }
});

$server->start();
