<?php

declare(strict_types=1);

namespace Ferrite\SymfonyRuntime;

use Ferrite\Http\Request;
use Symfony\Component\HttpFoundation\Request as SymfonyRequest;

/** A request of Symfony's whose content is Ferrite's, and is read when somebody asks for it. */
final class ServerRequest extends SymfonyRequest
{
    /** Null once somebody has asked for the content. */
    private ?Request $source;

    /**
     * @param array<string, mixed> $query
     * @param array<string, mixed> $post
     * @param array<string, mixed> $cookies
     * @param array<string, mixed> $files
     * @param array<string, mixed> $server
     */
    public function __construct(Request $source, array $query, array $post, array $cookies, array $files, array $server)
    {
        $this->source = $source;
        parent::__construct($query, $post, [], $cookies, $files, $server, '');
    }

    /** @return string|resource */
    public function getContent(bool $asResource = false)
    {
        if ($this->source !== null) {
            // Symfony rewinds a stream for whoever reads next.
            $this->content = ($asResource ? $this->source->stream() : $this->source->rawContent()) ?: '';
            $this->source = null;
        }
        return parent::getContent($asResource);
    }
}
