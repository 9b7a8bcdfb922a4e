<?php

declare(strict_types=1);

namespace Ferrite\SymfonyRuntime;

use Ferrite\Http\Request;
use Symfony\Component\HttpFoundation\Request as SymfonyRequest;

/** Makes Symfony's requests from Ferrite's. */
final class RequestFactory
{
    public static function create(Request $request): SymfonyRequest
    {
        $fields = $request->header ?? [];
        $method = $request->getMethod();
        $post = $request->post ?? [];
        $type = (string) ($fields['content-type'] ?? '');
        // As Request::createFromGlobals() does for forms that PHP does not parse.
        if ($post === [] && str_starts_with($type, 'application/x-www-form-urlencoded') && in_array($method, ['PUT', 'DELETE', 'PATCH'], true)) {
            parse_str((string) $request->rawContent(), $post);
        }
        return new ServerRequest(
            $request,
            $request->get ?? [],
            $post,
            $request->cookie ?? [],
            $request->files ?? [],
            self::server($request, $fields),
        );
    }

    /**
     * What $_SERVER would be under php-fpm: strings, and fields by their names in capital letters.
     *
     * @param array<string, string|list<string>> $fields
     * @return array<string, string|int|float>
     */
    private static function server(Request $request, array $fields): array
    {
        $server = [];
        foreach ($request->server as $name => $value) {
            $server[strtoupper($name)] = str_starts_with($name, 'request_time') ? $value : (string) $value;
        }
        $server['REQUEST_URI'] = $request->getTarget();
        $server += ['QUERY_STRING' => ''];
        // The path follows from REQUEST_URI. The front script is what the process was started with.
        unset($server['PATH_INFO']);
        $script = '/' . basename((string) ($_SERVER['SCRIPT_FILENAME'] ?? 'index.php'));
        $server['SCRIPT_NAME'] = $server['PHP_SELF'] = $script;
        $server['SCRIPT_FILENAME'] = (string) realpath((string) ($_SERVER['SCRIPT_FILENAME'] ?? ''));
        $server['DOCUMENT_ROOT'] = dirname($server['SCRIPT_FILENAME']);
        $server['SERVER_NAME'] = preg_replace('/:\d*$/', '', (string) ($fields['host'] ?? $server['SERVER_ADDR'] ?? 'localhost'));
        foreach ($fields as $name => $value) {
            $name = (string) $name;
            // `Proxy` would become HTTP_PROXY, which programs take for a setting; `a_b` would be `a-b`.
            if ($name === 'proxy' || preg_match('/^[a-z0-9-]+$/', $name) !== 1) {
                continue;
            }
            $name = strtoupper(str_replace('-', '_', $name));
            $name = $name === 'CONTENT_TYPE' || $name === 'CONTENT_LENGTH' ? $name : "HTTP_$name";
            $server[$name] = is_array($value) ? implode($name === 'HTTP_COOKIE' ? '; ' : ', ', $value) : $value;
        }
        return $server;
    }
}
