<?php

declare(strict_types=1);

namespace Ferrite\SymfonyRuntime;

use Ferrite\Bridge\ServerContent;
use Ferrite\Bridge\ServerVariables;
use Ferrite\Http\Request;
use Symfony\Component\HttpFoundation\Request as SymfonyRequest;

/** A request of Symfony's whose content is Ferrite's, and is read when somebody asks for it. */
final class ServerRequest extends SymfonyRequest
{
    use ServerContent;

    public static function from(Request $request): self
    {
        $variables = self::script() + ServerVariables::of($request);
        $self = new self($request->get ?? [], self::form($request), [], $request->cookie ?? [], $request->files ?? [], $variables, '');
        $self->source = $request;
        return $self;
    }

    /**
     * The front script is what the process was started with.
     *
     * @return array<string, string>
     */
    private static function script(): array
    {
        $file = (string) ($_SERVER['SCRIPT_FILENAME'] ?? '');
        $name = '/' . ($file === '' ? 'index.php' : basename($file));
        $path = (string) realpath($file);
        return ['SCRIPT_NAME' => $name, 'PHP_SELF' => $name, 'SCRIPT_FILENAME' => $path, 'DOCUMENT_ROOT' => dirname($path)];
    }
}
