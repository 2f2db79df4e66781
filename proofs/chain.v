(* A chain of single neurons, its gradient, and the chain rule.

   A neuron takes a number x to σ(w x + b): σ is its activation, w its weight and b its bias. A chain feeds each
   neuron's output to the next. Its gradient at an input is the product, over its layers, of the weight and of the slope σ'
   of the activation. This file says that the product is the derivative of the output in the input. Activations may
   differ from layer to layer, and weights may be 0 or negative. *)
From Coq Require Import Reals Lra.
From Coquelicot Require Import Coquelicot.
From Coq Require Import List.
Import ListNotations.
Open Scope R_scope.

Record activation := Activation {
  value : R -> R;
  slope : R -> R;
  slope_is_derivative : forall z, is_derive value z (slope z)
}.

Record layer := Layer { act : activation; weight : R; bias : R }.

Definition preactivation (l : layer) (x : R) := weight l * x + bias l.
Definition neuron (l : layer) (x : R) := value (act l) (preactivation l x).
Definition neuron_slope (l : layer) (x : R) := weight l * slope (act l) (preactivation l x).

(* The first layer of the list is the one next to the input. *)
Fixpoint output (c : list layer) (x : R) : R :=
  match c with
  | [] => x
  | l :: rest => output rest (neuron l x)
  end.

Fixpoint gradient (c : list layer) (x : R) : R :=
  match c with
  | [] => 1
  | l :: rest => gradient rest (neuron l x) * neuron_slope l x
  end.

(* A chain with the same activation everywhere, by its weights and biases. *)
Definition uniform (a : activation) (parameters : list (R * R)) : list layer :=
  map (fun wb => Layer a (fst wb) (snd wb)) parameters.

Lemma neuron_slope_is_derivative l x : is_derive (neuron l) x (neuron_slope l x).
Proof.
  apply (is_derive_comp (value (act l)) (preactivation l) x (slope (act l) (preactivation l x)) (weight l)).
  - apply slope_is_derivative.
  - unfold preactivation. auto_derive; [exact I | ring].
Qed.

Theorem gradient_is_derivative c : forall x, is_derive (output c) x (gradient c x).
Proof.
  induction c as [| l rest IH]; intros x; simpl.
  - auto_derive; [exact I | ring].
  - rewrite Rmult_comm. apply (is_derive_comp (output rest) (neuron l)).
    + apply IH.
    + apply neuron_slope_is_derivative.
Qed.

Lemma continuous_of_derivative (f : R -> R) x (d : R) : is_derive f x d -> continuous f x.
Proof. intros D. apply (ex_derive_continuous f). now exists d. Qed.

(* Where every slope is continuous, so is the gradient. *)
Lemma gradient_continuous c :
  Forall (fun l => forall z, continuous (slope (act l)) z) c -> forall x, continuous (gradient c) x.
Proof.
  induction 1 as [| l rest Hl _ IH]; intros x; simpl.
  - apply continuous_const.
  - assert (P : continuous (preactivation l) x).
    { apply (continuous_of_derivative _ _ (weight l)). unfold preactivation. auto_derive; [exact I | ring]. }
    apply (@continuous_mult _ R_AbsRing (fun x => gradient rest (neuron l x)) (neuron_slope l)).
    + apply (continuous_comp (neuron l) (gradient rest)); [| apply IH].
      apply (continuous_of_derivative _ _ (neuron_slope l x)), neuron_slope_is_derivative.
    + apply (@continuous_mult _ R_AbsRing (fun _ => weight l) (fun x => slope (act l) (preactivation l x))).
      * apply continuous_const.
      * apply (continuous_comp (preactivation l) (slope (act l))); [exact P | apply Hl].
Qed.

Lemma uniform_app a p q : uniform a (p ++ q) = uniform a p ++ uniform a q.
Proof. apply map_app. Qed.

Lemma Forall_uniform (P : activation -> Prop) a p : P a -> Forall (fun l => P (act l)) (uniform a p).
Proof. intros H. apply Forall_map, Forall_forall. intros wb _. exact H. Qed.

(* A chain of at least one layer is some inner layers and a last one. *)
Lemma last_layer_of (p : list (R * R)) : p <> [] -> exists inner last, p = inner ++ [last].
Proof. intros H. destruct (exists_last H) as [inner [last E]]. now exists inner, last. Qed.
