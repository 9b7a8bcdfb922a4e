<?php

declare(strict_types=1);

namespace Ferrite\Bridge;

use Ferrite\Http\Request;

/** The variables of $_SERVER, as php-fpm behind a web server would fill them (RFC 3875). */
final class ServerVariables
{
    /**
     * Strings, and fields by their names in capital letters. There is no PATH_INFO, and no variable about a script: what
     * the path is relative to, the caller knows.
     *
     * @return array<string, string|int|float>
     */
    public static function of(Request $request): array
    {
        $fields = $request->header ?? [];
        $variables = [];
        foreach ($request->server as $name => $value) {
            $variables[strtoupper($name)] = str_starts_with($name, 'request_time') ? $value : (string) $value;
        }
        unset($variables['PATH_INFO']);
        $variables['REQUEST_URI'] = $request->getTarget();
        $variables += ['QUERY_STRING' => ''];
        $variables['SERVER_NAME'] = preg_replace('/:\d*$/', '', (string) ($fields['host'] ?? $variables['SERVER_ADDR'] ?? 'localhost'));
        foreach ($fields as $name => $value) {
            $name = (string) $name;
            // `Proxy` would become HTTP_PROXY, which programs take for a setting; `a_b` would be `a-b`.
            if ($name === 'proxy' || preg_match('/^[a-z0-9-]+$/', $name) !== 1) {
                continue;
            }
            $name = strtoupper(str_replace('-', '_', $name));
            $name = $name === 'CONTENT_TYPE' || $name === 'CONTENT_LENGTH' ? $name : "HTTP_$name";
            $variables[$name] = is_array($value) ? implode($name === 'HTTP_COOKIE' ? '; ' : ', ', $value) : $value;
        }
        return self::user((string) ($variables['HTTP_AUTHORIZATION'] ?? '')) + $variables;
    }

    /** @return array<string, string> the variables of who has logged in by Basic (RFC 7617) */
    private static function user(string $authorization): array
    {
        if (strncasecmp($authorization, 'Basic ', 6) !== 0) {
            return [];
        }
        $user = base64_decode(substr($authorization, 6), true);
        if ($user === false || !str_contains($user, ':')) {
            return [];
        }
        return array_combine(['PHP_AUTH_USER', 'PHP_AUTH_PW'], explode(':', $user, 2));
    }
}
