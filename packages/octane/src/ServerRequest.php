<?php

declare(strict_types=1);

namespace Ferrite\Octane;

use Ferrite\Http\Request as FerriteRequest;
use Illuminate\Http\Request;

/** A request of Laravel's whose content is Ferrite's, and is read when somebody asks for it. */
final class ServerRequest extends Request
{
    /** Null once somebody has asked for the content. */
    private ?FerriteRequest $source = null;

    public static function from(FerriteRequest $request): self
    {
        $fields = $request->header ?? [];
        $post = $request->post ?? [];
        $type = (string) ($fields['content-type'] ?? '');
        // Forms by methods that PHP knows none of.
        if ($post === [] && str_starts_with($type, 'application/x-www-form-urlencoded') && in_array($request->getMethod(), ['PUT', 'DELETE', 'PATCH'], true)) {
            parse_str((string) $request->rawContent(), $post);
        }
        $self = new self($request->get ?? [], $post, [], $request->cookie ?? [], $request->files ?? [], self::variables($request, $fields));
        $self->source = $request;
        if ($self->isJson()) {
            $self->request = $self->json();
        }
        return $self;
    }

    /** @return string|resource */
    public function getContent(bool $asResource = false)
    {
        if ($this->source !== null) {
            $this->content = ($asResource ? $this->source->stream() : $this->source->rawContent()) ?: '';
            $this->source = null;
        }
        return parent::getContent($asResource);
    }

    /**
     * What $_SERVER would be under php-fpm.
     *
     * @param array<string, string|list<string>> $fields
     * @return array<string, string|int|float>
     */
    private static function variables(FerriteRequest $request, array $fields): array
    {
        $variables = [];
        foreach ($request->server as $name => $value) {
            $variables[strtoupper($name)] = str_starts_with($name, 'request_time') ? $value : (string) $value;
        }
        unset($variables['PATH_INFO']);
        $host = preg_replace('/:\d*$/', '', (string) ($fields['host'] ?? $variables['SERVER_ADDR'] ?? 'localhost'));
        $variables = [
            'REQUEST_URI' => $request->getTarget(),
            'SCRIPT_NAME' => '/index.php',
            'PHP_SELF' => '/index.php',
            'SCRIPT_FILENAME' => 'index.php',
            'SERVER_NAME' => $host,
        ] + $variables + ['QUERY_STRING' => ''];
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
        return $variables;
    }
}
