<?php

// A small JSON API for notes.
//
//   php -d extension=ferrite examples/api.php [--port PORT] [--workers N]
//
//   curl -d '{"text":"milk"}' http://127.0.0.1:9501/notes
//   curl http://127.0.0.1:9501/notes
//   curl -X PUT -d '{"text":"oat milk"}' http://127.0.0.1:9501/notes/1
//   curl -X DELETE http://127.0.0.1:9501/notes/1
//
// The workers are processes of their own: a variable of one is not seen by the others. So the notes
// are in a file, with a lock around each change.

declare(strict_types=1);

use Ferrite\Http\Request;
use Ferrite\Http\Response;
use Ferrite\Http\Server;

/** Notes in a JSON file, safe to be used by several processes at once. */
final class Notes
{
    public function __construct(private readonly string $file) {}

    /** @return array<int, array{id: int, text: string}> */
    public function all(): array
    {
        return $this->locked(LOCK_SH, fn(array $notes) => [$notes, $notes]);
    }

    public function add(string $text): array
    {
        return $this->locked(LOCK_EX, function (array $notes) use ($text) {
            $id = $notes === [] ? 1 : max(array_keys($notes)) + 1;
            $notes[$id] = ['id' => $id, 'text' => $text];
            return [$notes, $notes[$id]];
        });
    }

    public function change(int $id, string $text): ?array
    {
        return $this->locked(LOCK_EX, function (array $notes) use ($id, $text) {
            if (isset($notes[$id])) {
                $notes[$id]['text'] = $text;
            }
            return [$notes, $notes[$id] ?? null];
        });
    }

    public function remove(int $id): bool
    {
        return $this->locked(LOCK_EX, function (array $notes) use ($id) {
            $there = isset($notes[$id]);
            unset($notes[$id]);
            return [$notes, $there];
        });
    }

    /** Calls $work with the notes; it gives back the new notes and a result. */
    private function locked(int $lock, callable $work): mixed
    {
        $handle = fopen($this->file, 'c+');
        flock($handle, $lock);
        $notes = json_decode(stream_get_contents($handle) ?: '[]', true);
        [$changed, $result] = $work($notes);
        if ($changed !== $notes) {
            rewind($handle);
            ftruncate($handle, 0);
            fwrite($handle, json_encode($changed));
        }
        fclose($handle);
        return $result;
    }
}

/** What ends a request early, with a status and a reason. */
final class Refusal extends Exception {}

/** Gives back the status and what is to be sent as JSON. */
function answer(Request $request, Response $response, Notes $notes): array
{
    if (!preg_match('~^/notes(?:/([1-9][0-9]{0,8}))?$~', $request->server['request_uri'], $match)) {
        throw new Refusal('There are only /notes and /notes/ID.', 404);
    }
    $id = isset($match[1]) ? (int) $match[1] : null;
    $missing = new Refusal('There is no such note.', 404);

    switch ([$request->getMethod(), $id !== null]) {
        case ['GET', false]:
            return [200, array_values($notes->all())];
        case ['POST', false]:
            $note = $notes->add(text($request));
            $response->header('Location', "/notes/{$note['id']}");
            return [201, $note];
        case ['GET', true]:
            return [200, $notes->all()[$id] ?? throw $missing];
        case ['PUT', true]:
            return [200, $notes->change($id, text($request)) ?? throw $missing];
        case ['DELETE', true]:
            return $notes->remove($id) ? [204, null] : throw $missing;
        default:
            $response->header('Allow', $id === null ? 'GET, POST' : 'GET, PUT, DELETE');
            throw new Refusal('This method is not allowed here.', 405);
    }
}

function text(Request $request): string
{
    $body = json_decode($request->rawContent(), true);
    $text = is_array($body) ? $body['text'] ?? null : null;
    if (!is_string($text) || $text === '') {
        throw new Refusal('Send {"text": "…"}.', 400);
    }
    return $text;
}

$options = getopt('', ['port:', 'workers:']);
$folder = getenv('FERRITE_EXAMPLE_DATA') ?: sys_get_temp_dir() . '/ferrite-api';
is_dir($folder) || mkdir($folder, 0700, true);
$notes = new Notes("$folder/notes.json");

$server = new Server('127.0.0.1', (int) ($options['port'] ?? 9501));
$server->set(['worker_num' => (int) ($options['workers'] ?? 2)]);

$server->on('Request', function (Request $request, Response $response) use ($notes): void {
    try {
        [$status, $content] = answer($request, $response, $notes);
    } catch (Refusal $refusal) {
        [$status, $content] = [$refusal->getCode(), ['error' => $refusal->getMessage()]];
    }
    $response->status($status);
    if ($status === 204) {
        $response->end();
        return;
    }
    $response->header('Content-Type', 'application/json');
    $response->end(json_encode($content) . "\n");
});

$server->start();
