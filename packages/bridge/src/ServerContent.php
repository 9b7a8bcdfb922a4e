<?php

declare(strict_types=1);

namespace Ferrite\Bridge;

use Ferrite\Http\Request;

/** The content of a request of HttpFoundation that is Ferrite's, and is read when somebody asks for it. */
trait ServerContent
{
    /** Null once somebody has asked for the content. */
    private ?Request $source = null;

    /** @return string|resource */
    public function getContent(bool $asResource = false)
    {
        if ($this->source !== null) {
            // HttpFoundation rewinds a stream for whoever reads next.
            $this->content = ($asResource ? $this->source->stream() : $this->source->rawContent()) ?: '';
            $this->source = null;
        }
        return parent::getContent($asResource);
    }

    /**
     * The fields of a form, of methods for which PHP parses none as well: what Request::createFromGlobals() does.
     *
     * @return array<array-key, mixed>
     */
    private static function form(Request $request): array
    {
        $post = $request->post ?? [];
        $type = $request->header['content-type'] ?? '';
        $isForm = is_string($type) && str_starts_with($type, 'application/x-www-form-urlencoded');
        if ($post === [] && $isForm && in_array($request->getMethod(), ['PUT', 'DELETE', 'PATCH'], true)) {
            parse_str((string) $request->rawContent(), $post);
        }
        return $post;
    }
}
