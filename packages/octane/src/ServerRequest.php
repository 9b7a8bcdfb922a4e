<?php

declare(strict_types=1);

namespace Ferrite\Octane;

use Ferrite\Bridge\ServerContent;
use Ferrite\Bridge\ServerVariables;
use Ferrite\Http\Request as FerriteRequest;
use Illuminate\Http\Request;

/** A request of Laravel's whose content is Ferrite's, and is read when somebody asks for it. */
final class ServerRequest extends Request
{
    use ServerContent;

    /** What is called for every path. */
    private const SCRIPT = ['SCRIPT_NAME' => '/index.php', 'PHP_SELF' => '/index.php', 'SCRIPT_FILENAME' => 'index.php'];

    public static function from(FerriteRequest $request): self
    {
        $variables = self::SCRIPT + ServerVariables::of($request);
        $self = new self($request->get ?? [], self::form($request), [], $request->cookie ?? [], $request->files ?? [], $variables);
        $self->source = $request;
        if ($self->isJson()) {
            $self->request = $self->json();
        }
        return $self;
    }
}
