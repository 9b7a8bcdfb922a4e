--TEST--
The stubs say exactly what the extension declares
--FILE--
<?php

// The stub is loaded under another name, beside the extension, and both are described in words.
$files = glob(__DIR__ . '/../../stubs/*.stub.php');
$stub = implode("\n", array_map(function (string $file): string {
    return preg_replace('/^<\?php/', '', file_get_contents($file));
}, $files));
$stub = preg_replace('/^namespace Ferrite\b/m', 'namespace Stub', $stub);
$stub = preg_replace('/\\\\Ferrite\b/', '\\Stub', $stub);
eval($stub);

function type(?ReflectionType $type): string
{
    $parts = explode('|', str_replace('?', 'null|', (string) $type));
    sort($parts);
    return str_replace('Stub\\', 'Ferrite\\', implode('|', $parts));
}

function describe_class(ReflectionClass $class, string $name): array
{
    $parent = $class->getParentClass();
    $lines = ["class $name" . ($parent ? ' extends ' . $parent->getName() : '')];
    foreach ($class->getConstants() as $constant => $value) {
        $lines[] = "$name::$constant = " . var_export($value, true);
    }
    foreach ($class->getProperties() as $property) {
        if ($property->getDeclaringClass()->getName() !== $class->getName()) {
            continue;
        }
        // A property that is built at its first use has no default, which a stub can only write as null.
        $default = $property->hasDefaultValue() ? $property->getDefaultValue() : null;
        $default = $default === null ? '' : ' = ' . var_export($default, true);
        $modifiers = implode(' ', Reflection::getModifierNames($property->getModifiers()));
        $lines[] = trim("$name $modifiers " . type($property->getType())) . " \${$property->getName()}$default";
    }
    foreach ($class->getMethods() as $method) {
        if ($method->getDeclaringClass()->getName() !== $class->getName()) {
            continue;
        }
        $modifiers = implode(' ', Reflection::getModifierNames($method->getModifiers()));
        $parameters = array_map(describe_parameter(...), $method->getParameters());
        $lines[] = "$name $modifiers {$method->getName()}(" . implode(', ', $parameters) . '): ' . type($method->getReturnType());
    }
    return $lines;
}

function describe_parameter(ReflectionParameter $parameter): string
{
    $default = $parameter->isDefaultValueAvailable() ? ' = ' . var_export($parameter->getDefaultValue(), true) : '';
    return type($parameter->getType()) . " \${$parameter->getName()}$default";
}

$real = $stubbed = [];
foreach ((new ReflectionExtension('ferrite'))->getClasses() as $name => $class) {
    array_push($real, ...describe_class($class, $name));
}
foreach (get_declared_classes() as $name) {
    if (str_starts_with($name, 'Stub\\')) {
        array_push($stubbed, ...describe_class(new ReflectionClass($name), 'Ferrite' . substr($name, 4)));
    }
}
$describe_function = fn (ReflectionFunction $function): string => preg_replace('~^(stub|ferrite)\\\\~i', '', $function->getName())
    . '(' . implode(', ', array_map(describe_parameter(...), $function->getParameters())) . '): ' . type($function->getReturnType());
foreach ((new ReflectionExtension('ferrite'))->getFunctions() as $function) {
    $real[] = $describe_function($function);
}
foreach (preg_grep('~^stub~', get_defined_functions()['user']) as $name) {
    $stubbed[] = $describe_function($function = new ReflectionFunction($name));
    $function->getDocComment() || print("without a comment: $name\n");
}
foreach (get_defined_constants(true) as $group => $constants) {
    foreach ($constants as $name => $value) {
        if ($group === 'ferrite') {
            $real[] = strtolower(dirname(strtr($name, '\\', '/'))) . " const " . basename(strtr($name, '\\', '/')) . ' = ' . var_export($value, true);
        } elseif (stripos($name, 'stub\\') === 0) {
            $stubbed[] = "ferrite const " . substr($name, 5) . ' = ' . var_export($value, true);
        }
    }
}
foreach (array_diff($real, $stubbed) as $line) {
    echo "not in the stub: $line\n";
}
foreach (array_diff($stubbed, $real) as $line) {
    echo "only in the stub: $line\n";
}

// Everything is documented.
$documented = 0;
foreach (get_declared_classes() as $name) {
    if (!str_starts_with($name, 'Stub\\')) {
        continue;
    }
    $class = new ReflectionClass($name);
    foreach ([$class, ...$class->getMethods(), ...$class->getProperties()] as $item) {
        if ($item !== $class && $item->getDeclaringClass()->getName() !== $name) {
            continue;
        }
        $item->getDocComment() ? $documented++ : print("without a comment: $name {$item->getName()}\n");
    }
}
foreach (preg_split('/^const /m', $stub) as $index => $piece) {
    $index === 0 || preg_match('~\*/\s*$~', $before) || print("without a comment: const $piece\n");
    $before = $piece;
}
var_dump(count($real) > 70, $documented > 60);
?>
--EXPECT--
bool(true)
bool(true)
